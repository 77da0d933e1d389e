//! What is held, taken and given back of a payment, and how each movement changes it.

use super::{IllegalTransition, PaymentState, Refusal, TransactionKind};

/// A payment's state and amounts, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Where the payment is in its life.
    pub state: PaymentState,
    /// What is to be paid.
    pub amount: i64,
    /// What was held, and not let go: what was taken of it is still counted.
    pub authorized: i64,
    /// What was taken.
    pub captured: i64,
    /// What was given back.
    pub refunded: i64,
    /// What is being taken: the provider has not answered.
    pub capture_pending: i64,
    /// What is being given back: the provider has not answered.
    pub refund_pending: i64,
}

/// How a movement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Succeeded,
    /// It was not done and will not be.
    Failed,
    /// The buyer must do something first.
    ActionRequired,
}

impl Balance {
    /// A payment that is about to be authorised.
    pub const fn new(amount: i64) -> Self {
        Self {
            state: PaymentState::Created,
            amount,
            authorized: 0,
            captured: 0,
            refunded: 0,
            capture_pending: 0,
            refund_pending: 0,
        }
    }

    /// Held but not taken.
    pub const fn held(&self) -> i64 {
        self.authorized - self.captured
    }

    /// What may still be taken.
    pub const fn capturable(&self) -> i64 {
        self.held() - self.capture_pending
    }

    /// What may still be given back.
    pub const fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.refund_pending
    }

    /// What is still to be paid: nothing where nothing will be.
    pub const fn due(&self) -> i64 {
        match self.state {
            PaymentState::Voided | PaymentState::Failed | PaymentState::Disputed | PaymentState::Captured => {
                0
            }
            _ => self.amount - self.captured,
        }
    }

    /// The balance when a movement is about to be asked of the provider, or why it is not to be.
    pub fn begin(mut self, kind: TransactionKind, amount: i64) -> Result<Self, Refusal> {
        use PaymentState::{Authorized, Created, Disputed, PartiallyCaptured, RequiresAction};
        if amount <= 0 {
            return Err(Refusal::BadAmount);
        }
        match (kind, self.state) {
            (TransactionKind::Authorize, Created) => {}
            (TransactionKind::Capture, Authorized | PartiallyCaptured) => {
                if amount > self.capturable() {
                    return Err(Refusal::ExceedsAuthorized);
                }
                self.capture_pending += amount;
            }
            (TransactionKind::Void, Authorized | PartiallyCaptured | RequiresAction)
                if self.capture_pending == 0 => {}
            (TransactionKind::Refund, state) if state != Disputed => {
                if amount > self.refundable() {
                    return Err(Refusal::ExceedsCaptured { refundable: self.refundable() });
                }
                self.refund_pending += amount;
            }
            _ => return Err(Refusal::IllegalTransition),
        }
        Ok(self)
    }

    /// The balance when a movement that was begun has ended.
    pub fn finish(
        mut self,
        kind: TransactionKind,
        amount: i64,
        outcome: Outcome,
    ) -> Result<Self, IllegalTransition> {
        use PaymentState::{
            Authorized, Captured, Disputed, Failed, PartiallyCaptured, RequiresAction, Voided,
        };
        let succeeded = outcome == Outcome::Succeeded;
        match (kind, outcome) {
            (TransactionKind::Authorize, Outcome::Succeeded) => {
                self.state = self.state.step(Authorized)?;
                self.authorized = amount;
            }
            (TransactionKind::Authorize, Outcome::ActionRequired) => {
                self.state = self.state.step(RequiresAction)?;
            }
            (TransactionKind::Authorize, Outcome::Failed) => self.state = self.state.step(Failed)?,
            (TransactionKind::Capture, _) => {
                self.capture_pending -= amount;
                if succeeded {
                    self.captured += amount;
                    let all = self.captured >= self.authorized;
                    self.state = self.state.step(if all { Captured } else { PartiallyCaptured })?;
                }
            }
            (TransactionKind::Refund, _) => {
                self.refund_pending -= amount;
                self.refunded += if succeeded { amount } else { 0 };
            }
            (TransactionKind::Void, Outcome::Succeeded) => {
                let to = match self.state {
                    RequiresAction => Failed,
                    PartiallyCaptured => Captured,
                    _ => Voided,
                };
                self.state = self.state.step(to)?;
                self.authorized = self.captured;
            }
            (TransactionKind::Chargeback, Outcome::Succeeded) => self.state = self.state.step(Disputed)?,
            (TransactionKind::Void | TransactionKind::Chargeback, _) => {}
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TransactionKind::{Authorize, Capture, Refund, Void};

    fn after(steps: &[(TransactionKind, i64, Outcome)]) -> Balance {
        steps.iter().fold(Balance::new(100), |balance, (kind, amount, outcome)| {
            balance.begin(*kind, *amount).unwrap().finish(*kind, *amount, *outcome).unwrap()
        })
    }

    #[test]
    fn money_is_held_taken_and_given_back() {
        use Outcome::{ActionRequired, Failed, Succeeded};
        for (steps, state, held, captured, refundable, due) in [
            (&[(Authorize, 100, Succeeded)][..], PaymentState::Authorized, 100, 0, 0, 100),
            (&[(Authorize, 100, Failed)], PaymentState::Failed, 0, 0, 0, 0),
            (&[(Authorize, 100, ActionRequired)], PaymentState::RequiresAction, 0, 0, 0, 100),
            (&[(Authorize, 100, ActionRequired), (Void, 100, Succeeded)], PaymentState::Failed, 0, 0, 0, 0),
            (&[(Authorize, 100, Succeeded), (Void, 100, Succeeded)], PaymentState::Voided, 0, 0, 0, 0),
            (
                &[(Authorize, 100, Succeeded), (Capture, 40, Succeeded)],
                PaymentState::PartiallyCaptured,
                60,
                40,
                40,
                60,
            ),
            (
                &[(Authorize, 100, Succeeded), (Capture, 40, Succeeded), (Void, 60, Succeeded)],
                PaymentState::Captured,
                0,
                40,
                40,
                0,
            ),
            (
                &[(Authorize, 100, Succeeded), (Capture, 100, Failed), (Capture, 100, Succeeded)],
                PaymentState::Captured,
                0,
                100,
                100,
                0,
            ),
            (
                &[
                    (Authorize, 100, Succeeded),
                    (Capture, 100, Succeeded),
                    (Refund, 30, Failed),
                    (Refund, 30, Succeeded),
                ],
                PaymentState::Captured,
                0,
                100,
                70,
                0,
            ),
        ] {
            let balance = after(steps);
            assert_eq!(
                (balance.state, balance.held(), balance.captured, balance.refundable(), balance.due()),
                (state, held, captured, refundable, due),
                "{steps:?}"
            );
        }
    }

    #[test]
    fn what_is_under_way_counts_before_the_provider_answers() {
        let held = after(&[(Authorize, 100, Outcome::Succeeded)]);
        let taking = held.begin(Capture, 70).unwrap();
        assert_eq!(taking.begin(Capture, 31), Err(Refusal::ExceedsAuthorized));
        assert_eq!(taking.begin(Void, 30), Err(Refusal::IllegalTransition));
        let taken = after(&[(Authorize, 100, Outcome::Succeeded), (Capture, 100, Outcome::Succeeded)]);
        let refunding = taken.begin(Refund, 60).unwrap();
        assert_eq!(refunding.begin(Refund, 60), Err(Refusal::ExceedsCaptured { refundable: 40 }));
        assert_eq!(refunding.begin(Refund, 0), Err(Refusal::BadAmount));
    }

    #[test]
    fn nothing_is_taken_of_what_is_not_held() {
        assert_eq!(Balance::new(100).begin(Capture, 1), Err(Refusal::IllegalTransition));
        assert_eq!(Balance::new(100).begin(Void, 1), Err(Refusal::IllegalTransition));
        let voided = after(&[(Authorize, 100, Outcome::Succeeded), (Void, 100, Outcome::Succeeded)]);
        assert!(voided.begin(Capture, 1).is_err());
        assert!(voided.finish(Authorize, 100, Outcome::Succeeded).is_err());
    }
}
