//! A mail server that delivers nothing: each message becomes a file.

use std::path::PathBuf;

use anyhow::Result;

use crate::ground::{Ground, Port};
use crate::install::python;
use crate::process::Launch;
use crate::server::{Parts, Ready, Server};

/// An SMTP sink.
#[derive(Debug)]
pub struct Mail {
    /// The process. Its URL is `smtp://127.0.0.1:PORT`.
    pub server: Server,
}

/// Fetches what is missing.
pub fn install() -> Result<()> {
    environment().map(drop)
}

/// One sink.
pub fn start(ground: &Ground) -> Result<Mail> {
    let python = environment()?.join("bin/python");
    let room = ground.room("mail")?;
    let port = Port::free()?;
    let launch = Launch::new(python, &room)
        .arguments(["-m", "aiosmtpd", "-n", "-l", &port.address()])
        .arguments(["-c", "aiosmtpd.handlers.Mailbox", "box"]);
    let url = format!("smtp://{}", port.address());
    let parts = Parts { name: "Mail sink", url, port, launch, room, ready: Ready::Greeting("220 ") };
    Ok(Mail { server: Server::started(ground, parts)? })
}

impl Mail {
    /// Where the messages lie, a file each. A file appears when its message is whole.
    pub fn folder(&self) -> PathBuf {
        self.server.folder().join("box/new")
    }

    /// All messages so far, oldest first, with the headers `X-MailFrom` and `X-RcptTo` of the envelope.
    pub fn messages(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder())? {
            let entry = entry?;
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
        files.sort();
        files.into_iter().map(|(_, file)| Ok(std::fs::read_to_string(file)?)).collect()
    }
}

fn environment() -> Result<PathBuf> {
    python::environment("aiosmtpd", "1.4.6")
}
