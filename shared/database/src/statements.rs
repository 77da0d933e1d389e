//! Counts the SQL statements that one piece of work runs, and keeps their text where asked to.

use std::cell::RefCell;

use crate::kept;

/// The statements of one piece of work.
#[derive(Debug, Default, Clone)]
pub struct Statements {
    /// How many ran, transactions' BEGIN and COMMIT not counted.
    pub count: u32,
    /// Their text, where it was asked for.
    pub texts: Option<Vec<String>>,
}

tokio::task_local! {
    static STATEMENTS: RefCell<Statements>;
}

/// Runs `work` and counts the statements it runs in its own task; `texts` keeps what they said. They count for the work
/// around it as well: one subgraph's call of another is part of what the caller took.
pub async fn counted<T>(texts: bool, work: impl Future<Output = T>) -> (T, Statements) {
    let start = Statements { count: 0, texts: texts.then(Vec::new) };
    let (output, statements) = STATEMENTS
        .scope(RefCell::new(start), async {
            let output = work.await;
            let statements = STATEMENTS.with(|statements| statements.take());
            (output, statements)
        })
        .await;
    add(&statements);
    (output, statements)
}

/// Counts statements for the work at hand that ran for it in another task.
pub fn add(statements: &Statements) {
    // Mostly nobody counts.
    let _ = STATEMENTS.try_with(|around| {
        let mut around = around.borrow_mut();
        around.count += statements.count;
        if let (Some(around), Some(texts)) = (&mut around.texts, &statements.texts) {
            around.extend_from_slice(texts);
        }
    });
}

/// Called by the connection for every statement.
pub(crate) fn record(text: &str) {
    if matches!(text, kept::BEGIN | kept::COMMIT | kept::ROLLBACK) {
        return;
    }
    // Outside of `counted` nobody asks.
    let _ = STATEMENTS.try_with(|statements| {
        let mut statements = statements.borrow_mut();
        statements.count += 1;
        if let Some(texts) = &mut statements.texts {
            texts.push(text.to_owned());
        }
    });
}
