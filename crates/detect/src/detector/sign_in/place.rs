//! Where an address is, as far as that is known, and how far two of them are from each other at least.

use token::event::Origin;

use crate::detector::sign_in::{countries, source};

/// Anywhere in a circle on the earth.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// In degrees; to a few metres, and no place is known so well.
    pub(super) lat: f32,
    pub(super) lon: f32,
    /// In km; 0 for a place with latitude and longitude.
    pub(super) radius: f32,
}

// === impl Place ===

impl Place {
    /// By latitude and longitude, or else the whole country.
    pub(super) fn of(origin: &Origin) -> Option<Self> {
        let Some((lat, lon)) = origin.lat.zip(origin.lon) else {
            return countries::place(origin.country.as_deref()?);
        };
        let is_on_earth = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        is_on_earth.then_some(Self { lat: lat as f32, lon: lon as f32, radius: 0.0 })
    }

    /// Whether no more than the country is known.
    pub(super) fn is_country(&self) -> bool {
        self.radius > 0.0
    }

    /// A square of two degrees.
    pub(super) fn square(&self) -> u64 {
        source::number(((self.lat / 2.0).round() as i32, (self.lon / 2.0).round() as i32))
    }

    /// The least distance along a great circle, in km.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let [lat1, lat2, lon1, lon2] = [self.lat, other.lat, self.lon, other.lon]
            .map(|degrees| f64::from(degrees).to_radians());
        let (dlat, dlon) = (lat2 - lat1, lon2 - lon1);
        let chord =
            (dlat / 2.0).sin().powi(2) + lat1.cos() * lat2.cos() * (dlon / 2.0).sin().powi(2);
        let middles = 2.0 * 6_371.0 * chord.clamp(0.0, 1.0).sqrt().asin();
        (middles - f64::from(self.radius) - f64::from(other.radius)).max(0.0)
    }
}
