//! The saga under test.
