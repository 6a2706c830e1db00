//! Where clients may be: the lists of countries and autonomous systems of a route or an API.

use token::place::{NotPlaceTest, PlaceTest};

use super::gateway::Route;

/// An option, and what is wrong with it.
pub(crate) type Mistake = (&'static str, NotPlaceTest);

/// The options that say it.
pub(crate) struct Lists<'c> {
    pub(crate) countries: &'c [String],
    pub(crate) not_countries: &'c [String],
    pub(crate) asns: &'c [u32],
    pub(crate) not_asns: &'c [u32],
}

// === impl Lists ===

impl Lists<'_> {
    /// What a place has to be; a mistake with the option that has it.
    pub(crate) fn tests(&self) -> impl Iterator<Item = Result<PlaceTest, Mistake>> + use<> {
        let numbers =
            |list: &[u32]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let lists = [
            ("countries", self.countries.join(",")),
            ("not_countries", self.not_countries.join(",")),
            ("asns", numbers(self.asns)),
            ("not_asns", numbers(self.not_asns)),
        ];
        lists.into_iter().filter(|(_, list)| !list.is_empty()).filter_map(|(option, list)| {
            PlaceTest::parse(option, &list).map(|test| test.map_err(|refused| (option, refused)))
        })
    }
}

// === impl Route ===

impl Route {
    /// What the places of its clients have to be; a mistake with the option that has it.
    pub(crate) fn places(&self) -> impl Iterator<Item = Result<PlaceTest, Mistake>> {
        let Self { countries, not_countries, asns, not_asns, .. } = self;
        Lists { countries, not_countries, asns, not_asns }.tests()
    }
}
