//! Channels: what carries a message to a person. The shop has two for mail, one that prints and one that writes files;
//! whoever wants a mail server, text messages or pushes implements [`Carrier`].

mod console;
mod folder;

use common::id::NotificationId;
use futures::future::BoxFuture;

pub use crate::domain::Channel;
pub use crate::domain::delivery::SendError;
pub use console::Console;
pub use folder::Folder;

/// A message on its way to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The same at every try, so that a carrier can tell a repetition.
    pub id: NotificationId,
    /// Where to: a mail address for mail.
    pub recipient: String,
    /// BCP 47 tag of its language.
    pub locale: String,
    /// The subject.
    pub title: String,
    /// The text, with what is confidential at its end.
    pub body: String,
    /// When it was written.
    pub written_at: common::Timestamp,
}

/// Carries messages through one channel.
pub trait Carrier: Send + Sync + 'static {
    /// Through which.
    fn channel(&self) -> Channel;

    /// Hands a message over. It is given ten seconds. A message whose outcome was lost comes again.
    fn carry<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>>;
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A message in the form of RFC 5322 with UTF-8 (RFC 6532).
fn as_mail(message: &Message) -> String {
    let line = |text: &str| text.replace(|c: char| c.is_control(), " ");
    format!(
        "Message-ID: <{}@techpotli.dev>\r\nDate: {}\r\nFrom: TechPotli <shop@techpotli.dev>\r\nTo: <{}>\r\n\
         Subject: {}\r\nContent-Language: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
        message.id,
        mail_date(message.written_at),
        line(&message.recipient),
        line(&message.title),
        line(&message.locale),
        message.body.replace("\r\n", "\n").replace('\n', "\r\n"),
    )
}

/// A time in the form of RFC 5322, section 3.3, such as `1 Nov 2026 12:00:00 +0000`.
fn mail_date(at: common::Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // The text of a timestamp is `2026-11-01T12:00:00.000Z`.
    let text = at.to_string();
    let month = text[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1)));
    let day = text[8..10].trim_start_matches('0');
    format!("{day} {} {} {} +0000", month.unwrap_or(&"Jan"), &text[..4], &text[11..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_message_can_add_a_header() {
        let message = Message {
            id: common::Ids::counted().next(),
            recipient: "ada@example.com\r\nBcc: eve@example.com".into(),
            locale: "en".into(),
            title: "Hello\nX-Evil: 1".into(),
            body: "one\ntwo".into(),
            written_at: common::Timestamp(0),
        };
        let mail = as_mail(&message);
        let (headers, body) = mail.split_once("\r\n\r\n").unwrap();
        assert_eq!(headers.lines().count(), 9);
        assert!(headers.contains("Date: 1 Jan 1970 00:00:00 +0000"));
        assert!(headers.contains("To: <ada@example.com  Bcc: eve@example.com>"));
        assert_eq!(body, "one\r\ntwo\r\n");
    }
}
