//! The admin API over the other rooms.
