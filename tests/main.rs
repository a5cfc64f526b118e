//! The integration tests, one binary.

mod arrows;
mod browser;
mod captures;
mod command;
mod conformance;
mod example;
mod gallery;
mod hashes;
mod ladders;
mod readme;
mod replies;
mod report;
mod sweep;
mod traces;
mod worlds;
