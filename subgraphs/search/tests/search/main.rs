//! Search through its schema. `answers` runs in memory and, with the same assertions, on each search engine that the
//! environment names; `same` compares their answers; `engines` and `outages` are about the engines alone.

mod answers;
mod bench;
mod engines;
mod outages;
mod same;
