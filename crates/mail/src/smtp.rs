//! One letter over SMTP (RFC 5321), with TLS from the start (RFC 8314 §3.3) or after STARTTLS (RFC 3207).

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use token::base62;
use token::random::OsRandom;
use token::secret::Secret;

use crate::letter::Letter;

/// For connecting, and for each answer.
const PATIENCE: Duration = Duration::from_secs(10);
const MESSAGE_ID_CHARS: usize = 27;

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: for a server on the same machine.
    Plain,
    /// TLS after STARTTLS; a server that does not offer it is sent nothing.
    StartTls,
    /// TLS from the start.
    Tls,
}

/// A mail server, and as whom letters are sent.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its host name; the certificate has to be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Name and password, where the server wants them.
    pub login: Option<(String, Secret)>,
    /// A further authority for its certificate, in PEM.
    pub authority: Option<Vec<u8>>,
    /// The sender: `name@example.com` or `Name <name@example.com>`.
    pub from: String,
}

/// Which setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSmtp {
    /// The file with the authority.
    #[error("the certificate authority is no certificate in PEM: {0}")]
    Authority(String),
    /// The sender.
    #[error(
        "the sender `{0}` is no address; write `name@example.com` or `Name <name@example.com>`"
    )]
    From(String),
    /// TLS as a whole.
    #[error("TLS to the mail server cannot be set up: {0}")]
    Tls(String),
}

/// Why a letter was not taken, in words that do not name whom it is for.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// It never will be.
    #[error("{0}")]
    ForGood(String),
    /// It may be later.
    #[error("{0}")]
    ForNow(String),
}

/// What takes letters to the server, each over a connection of its own.
pub struct Carrier {
    place: String,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Whether a text can be the sender of letters.
pub fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

// === impl Carrier ===

impl Carrier {
    /// One that takes letters to this server.
    ///
    /// # Errors
    /// [`BadSmtp`] names the setting that cannot be used.
    pub fn new(settings: &Smtp) -> Result<Self, BadSmtp> {
        let from: Mailbox =
            settings.from.parse().map_err(|_| BadSmtp::From(settings.from.clone()))?;
        let domain = from.email.domain().to_owned();
        let tls = match settings.security {
            Security::Plain => Tls::None,
            Security::StartTls => Tls::Required(parameters(settings)?),
            Security::Tls => Tls::Wrapper(parameters(settings)?),
        };
        // "Dangerous" is the name of the door that takes every kind of protection.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .hello_name(ClientId::Domain(domain))
            .timeout(Some(PATIENCE));
        if let Some((name, password)) = &settings.login {
            let password = password.expose().to_owned();
            builder = builder.credentials(Credentials::new(name.clone(), password));
        }
        let place = format!("{}:{}", settings.host, settings.port);
        Ok(Self { place, transport: builder.build(), from })
    }

    /// Host and port of the server.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Sends one letter.
    ///
    /// # Errors
    /// [`NotSent`] says why not, and whether another try may help.
    pub async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let message = self.message(letter).map_err(|error| NotSent::ForGood(error.to_string()))?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            // What a server says may name the person: the log gets its number.
            Err(error) if error.is_permanent() => Err(NotSent::ForGood(words(&error))),
            Err(error) => Err(NotSent::ForNow(words(&error))),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, lettre::error::Error> {
        let id = base62::random(MESSAGE_ID_CHARS, &OsRandom::new());
        let id = format!("<{id}@{}>", self.from.email.domain());
        // RFC 3834 §5.2: nobody's absence is to be told to us.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, letter.to.0.clone()))
            .subject(letter.subject_line())
            .message_id(Some(id))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
    }
}

fn parameters(settings: &Smtp) -> Result<TlsParameters, BadSmtp> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authority {
        // A text without any certificate is read as none at all.
        if !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
            return Err(BadSmtp::Authority("there is none in it".to_owned()));
        }
        let certificate = Certificate::from_pem(pem);
        let certificate = certificate.map_err(|error| BadSmtp::Authority(error.to_string()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| BadSmtp::Tls(error.to_string()))
}

fn words(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    if error.is_timeout() {
        return "the mail server did not answer in time".to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("the mail server was not reached: {source}"),
        None => format!("the mail server was not reached: {error}"),
    }
}
