//! Accounts of people whom an identity provider vouches for.

use common::id::UserId;
use common::{Failure, Fault, FaultCode, settle};
use database::{ScopedFutureExt as _, Tx, is_duplicate};
use events::calls::users::{IdentityLinked, LinkIdentity};
use events::users::UsersEvent;
use sea_orm::{DbErr, EntityTrait as _};

use super::Accounts;
use crate::domain::Refusal;
use crate::domain::email::Email;
use crate::domain::role::Roles;
use crate::domain::secret::Digest;
use crate::entity::{identity, user};

/// The language of those whose provider names none.
const LOCALE: &str = "en";
/// As long as the columns.
const LONGEST: usize = 255;

impl Accounts {
    /// The account of this person. It is the one that they were linked to before; else the one with their mail address,
    /// if both the provider and this shop have seen that the address is theirs; else a new one. What they may follows
    /// from their roles at the provider alone.
    pub async fn link_identity(&self, person: &LinkIdentity) -> Result<IdentityLinked, Fault> {
        Ok(match settle(self.linked(person).await)? {
            Ok(user) => IdentityLinked::Account { user, scopes: Roles::named(&person.roles).scopes() },
            Err(refusal) => IdentityLinked::Refused(refusal.to_string()),
        })
    }

    async fn linked(&self, person: &LinkIdentity) -> Result<UserId, Failure<Refusal>> {
        let digest = Digest::of(&format!("{}:{}{}", person.issuer.len(), person.issuer, person.subject));
        if person.issuer.len().max(person.subject.len()) > LONGEST || person.subject.is_empty() {
            return Err(Failure::Refused(Refusal::EmailUnproven));
        }
        if let Some(user) = identity::user_of(self.ports.database.read(), &digest).await? {
            return Ok(user);
        }
        self.ports.database.transaction(|tx| self.link(tx, person, &digest).scope_boxed()).await
    }

    async fn link(
        &self,
        tx: &Tx,
        person: &LinkIdentity,
        digest: &Digest,
    ) -> Result<UserId, Failure<Refusal>> {
        if let Some(user) = identity::user_of(tx, digest).await? {
            return Ok(user);
        }
        let email = person.email.as_deref().filter(|_| person.email_verified);
        let email = email.and_then(|email| Email::parse(email).ok());
        let email = email.ok_or(Failure::Refused(Refusal::EmailUnproven))?;
        let user = match user::by_email(tx, &email).await? {
            // Whoever registers with another's address and waits for them to come must not share their account.
            Some(user) if !user.email_verified => return Err(Failure::Refused(Refusal::AccountUnproven)),
            Some(user) => user.id,
            None => self.make(tx, person, &email).await?,
        };
        let row = identity::Model {
            digest: digest.as_str().to_owned(),
            user_id: user,
            issuer: person.issuer.clone(),
            subject: person.subject.clone(),
            linked_at: self.ports.clock.now(),
        };
        let row = identity::Entity::insert(identity::ActiveModel::from(row));
        row.exec_without_returning(tx).await.map_err(try_again)?;
        Ok(user)
    }

    async fn make(&self, tx: &Tx, person: &LinkIdentity, email: &Email) -> Result<UserId, Fault> {
        let locale = person.locale.as_deref().filter(|tag| is_language(tag)).unwrap_or(LOCALE);
        let user = user::Model {
            id: self.ports.ids.next(),
            version: 1,
            email: email.as_str().to_owned(),
            email_verified: true,
            phone: None,
            display_name: None,
            locale: locale.to_owned(),
            roles: Roles::named(&person.roles),
            password_hash: None,
            default_shipping_address: None,
            default_billing_address: None,
            created_at: self.ports.clock.now(),
        };
        let row = user::Entity::insert(user::ActiveModel::from(user.clone()));
        row.exec_without_returning(tx).await.map_err(try_again)?;
        let event = UsersEvent::UserRegistered { user: user.id, email: user.email, locale: user.locale };
        self.ports.publish(tx, &event).await?;
        Ok(user.id)
    }
}

/// Somebody has linked or registered between our look and our write: the transaction begins anew and finds it.
fn try_again(error: DbErr) -> Fault {
    match is_duplicate(&error) {
        true => Fault::new(FaultCode::Conflict, "The account was made meanwhile."),
        false => error.into(),
    }
}

fn is_language(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
