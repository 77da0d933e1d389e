//! Marks: how far a database had come when somebody had written to it. Whoever brings one along is shown nothing older.
//!
//! A position is that of MariaDB's global transaction ids: the sequence number reached in each replication domain. The
//! server that made a transaction is left out, since numbers go on where another server becomes the primary.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Domains in a position, and databases in a list: more was not written by us.
const MOST: usize = 16;
/// Longest name of a database.
const LONGEST_NAME: usize = 64;

/// How far a database has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position(BTreeMap<u32, u64>);

/// How far a database had come, as far as one knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mark {
    /// At least here.
    At(Position),
    /// Something was written, and its place could not be learnt.
    Unknown,
}

/// The marks of several databases, by the names of the subgraphs that they belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Marks(BTreeMap<String, Mark>);

/// The text is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("This is no mark.")]
pub struct NoMark;

impl Position {
    /// Reads what MariaDB says: `domain-server-sequence`, separated by commas.
    pub fn of_gtids(text: &str) -> Result<Self, NoMark> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut reached = Self::default();
        for gtid in text.split(',') {
            let mut parts = gtid.trim().split('-');
            let (domain, _server, sequence) = (parts.next(), parts.next(), parts.next());
            let domain = domain.and_then(|part| part.parse().ok()).ok_or(NoMark)?;
            let sequence = sequence.and_then(|part| part.parse().ok()).ok_or(NoMark)?;
            if parts.next().is_some() {
                return Err(NoMark);
            }
            reached.reach(domain, sequence);
        }
        Ok(reached)
    }

    fn reach(&mut self, domain: u32, sequence: u64) {
        let reached = self.0.entry(domain).or_default();
        *reached = sequence.max(*reached);
    }

    /// Whether everything up to `other` is there.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(domain, sequence)| self.0.get(domain).is_some_and(|reached| reached >= sequence))
    }
}

impl Mark {
    /// The later of the two.
    fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::At(position), Self::At(other)) => {
                other.0.into_iter().for_each(|(domain, sequence)| position.reach(domain, sequence));
            }
            (_, Self::Unknown) => *self = Self::Unknown,
            (Self::Unknown, Self::At(_)) => {}
        }
    }
}

impl Marks {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mark of this subgraph's database.
    pub fn get(&self, subgraph: &str) -> Option<&Mark> {
        self.0.get(subgraph)
    }

    /// Adds a mark; of two for one database the later counts.
    pub fn add(&mut self, subgraph: &str, mark: Mark) {
        if let Some(known) = self.0.get_mut(subgraph) {
            return known.join(mark);
        }
        if self.0.len() < MOST {
            self.0.insert(subgraph.to_owned(), mark);
        }
    }

    /// Adds marks that were made later than these: then what is unknown here is in what is known there.
    pub fn renew(&mut self, later: &Self) {
        for (subgraph, mark) in &later.0 {
            if self.get(subgraph) == Some(&Mark::Unknown) {
                self.0.remove(subgraph);
            }
            self.add(subgraph, mark.clone());
        }
    }

    /// Adds all marks of others.
    pub fn add_all(&mut self, others: &Self) {
        for (subgraph, mark) in &others.0 {
            self.add(subgraph, mark.clone());
        }
    }
}

// Written with what may stand in a cookie, a header and a JSON string alike: `cart:0-17+1-3.orders:0-12.users:x`.

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::At(position) = self else { return f.write_str("x") };
        for (place, (domain, sequence)) in position.0.iter().enumerate() {
            let plus = if place > 0 { "+" } else { "" };
            write!(f, "{plus}{domain}-{sequence}")?;
        }
        Ok(())
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        if text == "x" {
            return Ok(Self::Unknown);
        }
        let mut position = Position::default();
        for part in text.split('+').filter(|part| !part.is_empty()) {
            let (domain, sequence) = part.split_once('-').ok_or(NoMark)?;
            position.reach(domain.parse().map_err(|_| NoMark)?, sequence.parse().map_err(|_| NoMark)?);
        }
        if position.0.len() <= MOST { Ok(Self::At(position)) } else { Err(NoMark) }
    }
}

impl fmt::Display for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (subgraph, mark)) in self.0.iter().enumerate() {
            let dot = if place > 0 { "." } else { "" };
            write!(f, "{dot}{subgraph}:{mark}")?;
        }
        Ok(())
    }
}

impl FromStr for Marks {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let mut marks = Self::default();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let (subgraph, mark) = part.split_once(':').ok_or(NoMark)?;
            let is_name = (1..=LONGEST_NAME).contains(&subgraph.len())
                && subgraph.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if !is_name || marks.0.len() >= MOST {
                return Err(NoMark);
            }
            marks.add(subgraph, mark.parse()?);
        }
        Ok(marks)
    }
}

impl TryFrom<String> for Mark {
    type Error = NoMark;

    fn try_from(text: String) -> Result<Self, NoMark> {
        text.parse()
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(gtids: &str) -> Position {
        Position::of_gtids(gtids).unwrap()
    }

    #[test]
    fn a_position_covers_what_has_come_no_further_in_any_domain() {
        for (reached, wanted, covered) in [
            ("0-1-7", "0-1-7", true),
            ("0-1-8", "0-2-7", true),
            ("0-1-6", "0-1-7", false),
            ("0-1-7,1-1-3", "1-1-3", true),
            ("0-1-7", "0-1-7,1-1-3", false),
            ("", "0-1-1", false),
            ("", "", true),
            ("0-1-10", "0-1-9", true),
        ] {
            assert_eq!(at(reached).covers(&at(wanted)), covered, "{reached} {wanted}");
        }
        for broken in ["0", "0-1", "0-1-2-3", "0-1-x", "a-1-2", "0-1-2,"] {
            assert_eq!(Position::of_gtids(broken), Err(NoMark), "{broken}");
        }
    }

    #[test]
    fn marks_survive_their_text_and_the_later_one_counts() {
        let mut marks = Marks::default();
        marks.add("cart", Mark::At(at("0-1-17,1-1-3")));
        marks.add("orders", Mark::At(at("0-1-12")));
        marks.add("cart", Mark::At(at("0-1-9,1-1-4")));
        assert_eq!(marks.to_string(), "cart:0-17+1-4.orders:0-12");
        marks.add("orders", Mark::Unknown);
        marks.add("orders", Mark::At(at("0-1-13")));
        assert_eq!(marks.to_string(), "cart:0-17+1-4.orders:x");
        assert_eq!(marks.to_string().parse(), Ok(marks));
        assert_eq!("".parse(), Ok(Marks::default()));
        let many: String = (0..17).map(|number| format!("s{number}:0-1.")).collect();
        for broken in ["cart", "cart:0", "ca rt:0-1", ":0-1", "cart:0-1;", "cart:-1", many.as_str()] {
            assert_eq!(broken.parse::<Marks>(), Err(NoMark), "{broken}");
        }
    }
}
