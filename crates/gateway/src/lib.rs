//! The enforcement point: every API request is checked here.
