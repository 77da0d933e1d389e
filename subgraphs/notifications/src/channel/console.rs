//! Mail that is printed: for development without anything to read mail with.

use std::io::Write as _;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Carrier, Channel, Message, SendError, as_mail};

/// Prints mail to standard output.
#[derive(Debug, Clone, Copy, Default)]
pub struct Console;

impl Carrier for Console {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn carry<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let printed = writeln!(std::io::stdout().lock(), "{}", as_mail(message));
            printed.map_err(|error| SendError::Temporary(error.to_string()))
        }
        .boxed()
    }
}
