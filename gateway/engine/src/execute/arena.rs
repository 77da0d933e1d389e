//! Where the answers of all fetches of one request meet: rows of slots, and lists, of small values.
//!
//! A value does not own text. It points into the buffer of the fetch that brought it, where strings still
//! stand quoted and escaped as they came, so that writing one into the answer is a copy of bytes.

use bytes::Bytes;
use supergraph::TypeId;

/// One place of the answer. Which shape a row has is known from its position, so it is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nobody has answered for this place (yet).
    Missing,
    Null,
    Bool(bool),
    /// The name of an object type, already looked up.
    Type(TypeId),
    /// A JSON number, as it came.
    Number {
        buffer: u16,
        start: u32,
        end: u32,
    },
    /// A JSON string with its quotes, still escaped.
    Text {
        buffer: u16,
        start: u32,
        end: u32,
    },
    /// A whole JSON list or object: the value of a custom scalar.
    Json {
        buffer: u16,
        start: u32,
        end: u32,
    },
    List {
        first: u32,
        len: u32,
    },
    Row {
        first: u32,
    },
}

impl Value {
    /// Neither missing nor null.
    pub(crate) fn is_present(self) -> bool {
        !matches!(self, Value::Missing | Value::Null)
    }
}

/// The values of one request and the buffers that they point into.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    cells: Vec<Value>,
    /// Elements of the lists that are being read, innermost last.
    open: Vec<Value>,
    buffers: Vec<Bytes>,
}

/// How many cells a request may fill. Positions are 32-bit numbers.
const MAX_CELLS: usize = u32::MAX as usize / 2;

impl Arena {
    /// An arena with room for as many cells as earlier requests of the operation took.
    pub(crate) fn with_capacity(cells: usize) -> Self {
        Arena { cells: Vec::with_capacity(cells), open: Vec::new(), buffers: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    #[inline]
    pub(crate) fn get(&self, cell: u32) -> Value {
        self.cells[cell as usize]
    }

    #[inline]
    pub(crate) fn set(&mut self, cell: u32, value: Value) {
        self.cells[cell as usize] = value;
    }

    /// A new row of `width` slots, nothing known in any; `None` when the request has outgrown its arena.
    pub(crate) fn row(&mut self, width: u32) -> Option<u32> {
        let first = self.cells.len();
        if first + width as usize > MAX_CELLS {
            return None;
        }
        self.cells.resize(first + width as usize, Value::Missing);
        Some(first as u32)
    }

    /// Begins a list; the mark goes back into [`Arena::close_list`].
    pub(crate) fn open_list(&self) -> usize {
        self.open.len()
    }

    #[inline]
    pub(crate) fn push_element(&mut self, value: Value) {
        self.open.push(value);
    }

    /// Ends the list begun at `mark` and stores its elements side by side.
    pub(crate) fn close_list(&mut self, mark: usize) -> Option<Value> {
        let first = self.cells.len();
        let len = self.open.len() - mark;
        if first + len > MAX_CELLS {
            return None;
        }
        self.cells.extend(self.open.drain(mark..));
        Some(Value::List { first: first as u32, len: len as u32 })
    }

    /// Forgets lists that a malformed answer left open.
    pub(crate) fn abandon_lists(&mut self) {
        self.open.clear();
    }

    /// Keeps a received buffer; values name it by the returned number. `None` past 65,535 buffers.
    pub(crate) fn keep(&mut self, buffer: Bytes) -> Option<u16> {
        let number = u16::try_from(self.buffers.len()).ok()?;
        self.buffers.push(buffer);
        Some(number)
    }

    /// Puts the final bytes into a place that [`Arena::keep`] gave out before they were complete.
    pub(crate) fn fill(&mut self, number: u16, buffer: Bytes) {
        self.buffers[usize::from(number)] = buffer;
    }

    /// The bytes of a number, string or JSON value; nothing for the other kinds.
    #[inline]
    pub(crate) fn text(&self, value: Value) -> &[u8] {
        match value {
            Value::Number { buffer, start, end }
            | Value::Text { buffer, start, end }
            | Value::Json { buffer, start, end } => {
                &self.buffers[usize::from(buffer)][start as usize..end as usize]
            }
            _ => &[],
        }
    }
}
