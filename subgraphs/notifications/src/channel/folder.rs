//! Mail that is written to files, one a message: for the demo and for tests. Mail programs open them.

use std::path::PathBuf;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Carrier, Channel, Message, SendError, as_mail};

/// Writes mail to `ID.eml` in a folder, which is made with the first.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Into this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    async fn write(&self, message: &Message) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.0).await?;
        // Whoever reads the folder finds whole messages only; one that comes again takes its own place.
        let draft = self.0.join(format!("{}.draft", message.id));
        tokio::fs::write(&draft, as_mail(message)).await?;
        tokio::fs::rename(&draft, self.0.join(format!("{}.eml", message.id))).await
    }
}

impl Carrier for Folder {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn carry<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
        async move { self.write(message).await.map_err(|error| SendError::Temporary(error.to_string())) }
            .boxed()
    }
}
