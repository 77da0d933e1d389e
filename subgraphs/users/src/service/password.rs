//! A forgotten password: asking for a link, and using it.

use common::{Failure, Fault, Timestamp};
use database::{ScopedFutureExt as _, Tx};
use events::users::UsersEvent;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;

use super::Accounts;
use crate::domain::email::Email;
use crate::domain::secret::Digest;
use crate::domain::{Refusal, lifetime, password, secret};
use crate::entity::{login_throttle, password_reset, session, user};

impl Accounts {
    /// Has a reset link mailed, if somebody has this address. Whoever asks does not learn whether.
    pub async fn request_password_reset(&self, email: &str) -> Result<(), Fault> {
        let email = Email::normalised(email);
        match user::by_email(self.ports.database.newest(), &email).await? {
            Some(user) => {
                self.ports.database.transaction(|tx| self.begin_reset(tx, &user).scope_boxed()).await
            }
            None => Ok(()),
        }
    }

    async fn begin_reset(&self, tx: &Tx, user: &user::Model) -> Result<(), Fault> {
        let now = self.ports.clock.now();
        // Locked, so that requests side by side are counted one after the other.
        if user::lock(tx, user.id).await?.is_none() {
            return Ok(());
        }
        let asked = password_reset::asked_since(tx, user.id, now.minus(lifetime::RESET_WINDOW)).await?;
        if asked >= lifetime::MOST_RESETS {
            return Ok(());
        }
        let token = secret::fresh();
        let row = password_reset::Model {
            digest: Digest::of(&token).as_str().to_owned(),
            user_id: user.id,
            created_at: now,
            expires_at: now.plus(lifetime::PASSWORD_RESET),
            used_at: None,
        };
        let event = UsersEvent::PasswordResetRequested {
            user: user.id,
            email: user.email.clone(),
            locale: user.locale.clone(),
            token,
            expires_at: row.expires_at,
        };
        password_reset::Entity::insert(password_reset::ActiveModel::from(row))
            .exec_without_returning(tx)
            .await?;
        self.ports.publish(tx, &event).await
    }

    /// Sets a new password by the mailed token. All sessions end, and the failed tries of the account are forgotten.
    pub async fn reset_password(&self, token: &str, new_password: &str) -> Result<(), Failure<Refusal>> {
        let digest = Digest::of_secret(token).ok_or(Failure::Refused(Refusal::ResetOver))?;
        let reset = password_reset::find(self.ports.database.newest(), &digest).await?;
        let reset = open(reset, self.ports.clock.now())?;
        let user = user::by_id(self.ports.database.newest(), reset.user_id).await?;
        let user = user.ok_or(Failure::Refused(Refusal::ResetOver))?;
        if let Some(weakness) = password::weakness(new_password, &Email::normalised(&user.email)) {
            return Err(Failure::Refused(Refusal::NewPasswordWeak(weakness)));
        }
        let hash = self.passwords.turn().await?.hash(new_password).await?;
        let database = &self.ports.database;
        let set = database.transaction(|tx| self.finish_reset(tx, &digest, &hash).scope_boxed()).await;
        self.forget(user.id);
        set
    }

    async fn finish_reset(
        &self,
        tx: &Tx,
        digest: &Digest,
        password_hash: &str,
    ) -> Result<(), Failure<Refusal>> {
        let now = self.ports.clock.now();
        let reset = open(password_reset::lock(tx, digest).await?, now)?;
        let user = user::lock(tx, reset.user_id).await?.ok_or(Failure::Refused(Refusal::ResetOver))?;
        password_reset::use_up(tx, user.id, now).await?;
        session::revoke_all(tx, user.id, now).await?;
        login_throttle::clear(tx, &Digest::of(&user.email)).await?;
        let change = user::ActiveModel {
            id: Set(user.id),
            version: Set(user.version + 1),
            password_hash: Set(Some(password_hash.to_owned())),
            // Whoever has the token has read the mail.
            email_verified: Set(true),
            ..Default::default()
        };
        user::Entity::update(change).exec(tx).await?;
        Ok(())
    }
}

fn open(
    reset: Option<password_reset::Model>,
    now: Timestamp,
) -> Result<password_reset::Model, Failure<Refusal>> {
    let open = reset.filter(|reset| reset.used_at.is_none() && reset.expires_at > now);
    open.ok_or(Failure::Refused(Refusal::ResetOver))
}
