//! Making an account.

use common::{Failure, Fault};
use database::{ScopedFutureExt as _, Tx, is_duplicate};
use events::users::UsersEvent;
use sea_orm::EntityTrait as _;

use super::Accounts;
use crate::domain::email::Email;
use crate::domain::role::{Role, Roles};
use crate::domain::{Refusal, password};
use crate::entity::user;

/// What somebody sends to get an account.
pub struct Registration {
    pub email: String,
    pub password: String,
    /// BCP 47.
    pub locale: String,
}

impl Accounts {
    /// Makes an account of a customer. They are welcomed by mail; they are not logged in.
    pub async fn register(&self, new: Registration) -> Result<user::Model, Failure<Refusal>> {
        let email = Email::parse(&new.email).map_err(Failure::Refused)?;
        if let Some(weakness) = password::weakness(&new.password, &email) {
            return Err(Failure::Refused(Refusal::PasswordWeak(weakness)));
        }
        if user::by_email(self.ports.database.newest(), &email).await?.is_some() {
            return Err(Failure::Refused(Refusal::EmailTaken));
        }
        let password_hash = self.passwords.turn().await?.hash(&new.password).await?;
        let user = user::Model {
            id: self.ports.ids.next(),
            version: 1,
            email: email.as_str().to_owned(),
            email_verified: false,
            phone: None,
            display_name: None,
            locale: new.locale,
            roles: Roles::new(&[Role::Customer]),
            password_hash: Some(password_hash),
            default_shipping_address: None,
            default_billing_address: None,
            created_at: self.ports.clock.now(),
        };
        self.ports.database.transaction(|tx| self.register_in(tx, &user).scope_boxed()).await?;
        Ok(user)
    }

    async fn register_in(&self, tx: &Tx, user: &user::Model) -> Result<(), Failure<Refusal>> {
        match user::Entity::insert(user::ActiveModel::from(user.clone())).exec_without_returning(tx).await {
            Ok(_) => {}
            // Somebody took the address between our look and now.
            Err(error) if is_duplicate(&error) => return Err(Failure::Refused(Refusal::EmailTaken)),
            Err(error) => return Err(Fault::from(error).into()),
        }
        let event = UsersEvent::UserRegistered {
            user: user.id,
            email: user.email.clone(),
            locale: user.locale.clone(),
        };
        Ok(self.ports.publish(tx, &event).await?)
    }
}
