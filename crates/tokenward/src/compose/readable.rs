//! What a start makes of files, secrets and certificates, made without starting.

use authority::known_places::KnownPlaces;
use notify::person::Person;
use notify::signals::Tries;

use super::{client_ca, issuers, letters, outlets, places, settings};
use crate::command::Failure;
use crate::config::Config;
use crate::config::check::{own_issuer, own_resource};

/// Reads all that `config` names, so that no start fails of it.
///
/// # Errors
/// [`Failure`] with the option or the file that cannot be used.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    let part = &config.authority;
    let issuer = own_issuer(part);
    places::open(&config.geo)?;
    client_ca::trust(part)?;
    letters::smtp(&config.mail)?;
    outlets::all(config, &issuer, &Person::default(), &Tries::default())?;
    let resource = config.gateway.as_ref().map(own_resource);
    settings::authority(config, issuer, resource, KnownPlaces::new(None))?;
    issuers::secrets(config.gateway.as_ref())
}
