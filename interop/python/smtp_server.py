"""A mail server that takes letters and writes each as a JSON line: aiosmtpd, with or without TLS and AUTH."""
import asyncio
import email
import email.policy
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PORT, SECURITY = int(os.environ["SMTP_PORT"]), os.environ["SMTP_SECURITY"]
USER, PASSWORD = os.environ.get("SMTP_USER"), os.environ.get("SMTP_PASSWORD")


class Handler:
    """Takes every letter."""

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        text = message.get_body(("plain",)).get_content()
        line = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": SECURITY == "tls" or session.ssl is not None,
            "user": (session.auth_data or b"").decode(), "subject": message["subject"], "text": text,
            "html": message.get_body(("html",)).get_content(), "headers": list(message.keys()),
        }
        print(json.dumps(line), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    """One name and one password."""
    good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, auth_data=data.login if good else None)


def serve():
    """For one connection, as the variables say."""
    options = {"enable_SMTPUTF8": True}
    if USER:
        # It does not know of TLS from the start, which its socket demands by itself.
        after = SECURITY == "starttls"
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": after}
    if SECURITY == "starttls":
        options |= {"tls_context": context(), "require_starttls": True}
    return SMTP(Handler(), hostname="localhost", **options)


def context():
    """The certificate of the test."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(os.environ["SMTP_CERTIFICATE"], os.environ["SMTP_KEY"])
    return made


async def main():
    """Until standard input ends, as it does when the test does."""
    loop = asyncio.get_running_loop()
    tls = context() if SECURITY == "tls" else None
    await loop.create_server(serve, "127.0.0.1", PORT, ssl=tls)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
