//! techpotli
fn main() {}
