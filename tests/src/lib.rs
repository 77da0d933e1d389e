//! shop-tests
