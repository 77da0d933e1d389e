//! Whose account a subject of the identity provider is: `users` knows, and what it has said is remembered.

use std::time::Duration;

use cache::Cache;
use events::calls::users::{IdentityLinked, LinkIdentity};
use futures::future::BoxFuture;
use gateway::{Account, AccountError, Accounts, Subject};
use subgraph::Peers;

/// In whose name `users` is asked.
const CALLER: &str = "gateway";
/// Accounts that are remembered. A link is never taken back, so the age only bounds what memory holds.
const REMEMBERED: usize = 50_000;
const AGE: Duration = Duration::from_secs(10 * 60);

/// The accounts in `users`.
pub struct LinkedAccounts {
    peers: Peers,
    /// With their roles: what somebody may follows from the roles of this very token.
    known: Cache<Subject, Account>,
}

impl LinkedAccounts {
    /// Accounts in `users`, which the peers know.
    pub fn new(peers: Peers) -> Self {
        Self { peers, known: Cache::new(REMEMBERED, AGE) }
    }

    async fn find(&self, subject: &Subject) -> Result<Account, AccountError> {
        if let Some(account) = self.known.get(subject) {
            return Ok(account);
        }
        let epoch = self.known.epoch();
        let request = LinkIdentity {
            issuer: subject.issuer.to_string(),
            subject: subject.subject.clone(),
            email: subject.email.clone(),
            email_verified: subject.email_verified,
            locale: subject.locale.clone(),
            roles: subject.roles.clone(),
        };
        match self.peers.ask(CALLER, &request).await {
            Ok(IdentityLinked::Account { user, scopes }) => {
                let account = Account { user, scopes };
                self.known.insert(epoch, subject.clone(), account.clone());
                Ok(account)
            }
            Ok(IdentityLinked::Refused(reason)) => Err(AccountError::Refused(reason)),
            Err(fault) => {
                tracing::warn!(reason = fault.chain(), "an identity cannot be linked to an account");
                Err(AccountError::Unavailable)
            }
        }
    }
}

impl Accounts for LinkedAccounts {
    fn account<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Account, AccountError>> {
        Box::pin(self.find(subject))
    }
}
