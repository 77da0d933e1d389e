//! Tables on standard output.

use std::io::Write as _;

/// Characters of a reason in a table.
const REASON: usize = 120;

/// Prints rows below a head, in columns as wide as what is in them.
pub fn print<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> anyhow::Result<()> {
    let table: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = std::io::stdout().lock();
    for row in &table {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// A cell, where an empty one is a dash.
pub fn or_dash(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { cell.to_owned() }
}

/// A reason in one short line: without the words that stand in for it where clients read, and without what a terminal
/// would obey.
pub fn reason(text: &str) -> String {
    let mask = common::Fault::internal("").to_string();
    let bare = text.strip_prefix(&mask).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(text);
    let line: String = bare.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    match line.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason("no\nsuch\u{1b}[31m thing"), "no such [31m thing");
        assert_eq!(reason(&"ä".repeat(121)), format!("{}…", "ä".repeat(120)));
        assert_eq!(reason(&"ä".repeat(120)), "ä".repeat(120));
        assert_eq!(reason(&common::Fault::internal("the disk is full").chain()), "the disk is full");
        assert_eq!(reason(&common::Fault::bad_input("no such thing").chain()), "no such thing");
    }
}
