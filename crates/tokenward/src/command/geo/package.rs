//! Packages of databases: fetched, held against the registry's hash, and unpacked by name alone.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use geo::Geo;
use ipnet::IpNet;
use remote::{Fetcher, Limits, Reach};
use serde::Deserialize;
use tar::{Archive, EntryType};
use url::Url;

use crate::command::Failure;
use crate::command::serve::runtime;

/// The databases have some 20 MB packed, 70 MB unpacked.
const PACKED: usize = 128 * 1024 * 1024;
const UNPACKED: u64 = 1024 * 1024 * 1024;
const LONGEST_FILE: u64 = 256 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(600);

/// What the registry says of a package's newest version.
#[derive(Deserialize)]
struct Manifest {
    version: String,
    dist: Dist,
}

#[derive(Deserialize)]
struct Dist {
    tarball: Url,
    integrity: String,
}

struct File {
    name: String,
    content: Vec<u8>,
}

/// Fetches packages and puts their databases and notices into a folder; nothing is replaced before everything
/// is there and good. Gives the files back.
///
/// # Errors
/// [`Failure`] with the package that cannot be had, and why.
pub(super) fn fetch(
    registry: &str,
    packages: &[String],
    to: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let registry = base(registry)?;
    let runtime = runtime()?;
    let mut files = Vec::new();
    for package in packages {
        let failed = |words: String| Failure::new(format_args!("{package}: {words}"));
        let packed = runtime.block_on(packed(&registry, package)).map_err(failed)?;
        let short = package.rsplit('/').next().unwrap_or(package);
        files.extend(unpack(&packed, short).map_err(failed)?);
    }
    put(files, to)
}

/// A path is kept: mirrors live below one.
fn base(registry: &str) -> Result<Url, Failure> {
    let slash = if registry.ends_with('/') { "" } else { "/" };
    let bad = || Failure::usage(format_args!("`{registry}` is not the URL of a registry"));
    let url = Url::parse(&format!("{registry}{slash}")).map_err(|_| bad())?;
    if url.has_host() { Ok(url) } else { Err(bad()) }
}

/// The archive of the newest version, as the registry has signed for it.
async fn packed(registry: &Url, package: &str) -> Result<Vec<u8>, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let limits = Limits { body: PACKED, time: PATIENCE };
    // The registry is whatever this machine's owner says, inside or outside; where it leads to is not.
    let everywhere = [
        IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0),
        IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0),
    ];
    let own = Fetcher::new(Reach::public().and(everywhere), limits).map_err(|e| words(&e))?;
    let manifest = format!("{}/latest", package.replace('/', "%2f"));
    let manifest = registry.join(&manifest).map_err(|_| "not the name of a package".to_owned())?;
    let answer = own.get(&manifest, "application/json").await.map_err(|e| words(&e))?;
    let Manifest { version, dist } = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("what the registry says of it cannot be read: {error}"))?;
    let archive = if dist.tarball.origin() == registry.origin() {
        own.get(&dist.tarball, "application/octet-stream").await
    } else {
        let others = Fetcher::new(Reach::public(), limits).map_err(|e| words(&e))?;
        others.get(&dist.tarball, "application/octet-stream").await
    };
    let archive = archive.map_err(|e| words(&e))?.body;
    // SHA-512 alone; packages have had it for longer than these exist.
    let hash = BASE64_STANDARD.encode(digest(&SHA512, &archive));
    let promised = dist.integrity.split_whitespace().filter_map(|one| one.strip_prefix("sha512-"));
    if promised.into_iter().any(|promised| promised == hash) {
        Ok(archive.into())
    } else {
        Err(format!("the archive of {version} is not the one that the registry promises (SHA-512)"))
    }
}

/// Databases and notices, by the last part of their names: an archive cannot say where anything goes.
fn unpack(packed: &[u8], package: &str) -> Result<Vec<File>, String> {
    let broken = |error: std::io::Error| format!("the archive is broken: {error}");
    let mut archive = Archive::new(GzDecoder::new(packed).take(UNPACKED));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let Some(name) = plain_name(&path) else { continue };
        let kept = match Path::new(&name).extension().and_then(|ending| ending.to_str()) {
            // The same ranges once more, with addresses as numbers.
            Some("csv") => !name.ends_with("-num.csv"),
            Some("mmdb") => true,
            _ => false,
        };
        let name = if kept {
            name
        } else if is_notice(&name) {
            format!("{package}.{name}")
        } else {
            continue;
        };
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        if entry.size() > LONGEST_FILE {
            return Err(format!("`{name}` is longer than {LONGEST_FILE} bytes"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        files.push(File { name, content });
    }
    // Both families in one file, and each in one of its own.
    let whole: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    files.retain(|file| {
        let half = ["-ipv4.mmdb", "-ipv6.mmdb"].iter().find_map(|end| file.name.strip_suffix(end));
        !half.is_some_and(|stem| whole.contains(&format!("{stem}.mmdb")))
    });
    Ok(files)
}

/// `package/NAME`: the folder's name is the packer's choice.
fn plain_name(path: &Path) -> Option<String> {
    let mut parts = path.components();
    match (parts.next()?, parts.next()?, parts.next()) {
        (Component::Normal(_), Component::Normal(name), None) => {
            OsString::from(name).into_string().ok()
        }
        _ => None,
    }
}

fn is_notice(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["LICENSE", "LICENCE", "NOTICE", "MODIFICATIONS", "README"]
        .iter()
        .any(|word| name.contains(word))
}

fn put(files: Vec<File>, to: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| Failure::new(format_args!("{}: {error}", to.display()));
    fs::create_dir_all(to).map_err(failed)?;
    let aside = tempfile::tempdir_in(to).map_err(failed)?;
    for file in &files {
        fs::write(aside.path().join(&file.name), &file.content).map_err(failed)?;
    }
    Geo::open(&[aside.path()])
        .map_err(|bad| Failure::new(format_args!("nothing was kept: {bad}")))?;
    let mut put = Vec::new();
    for file in files {
        let place = to.join(&file.name);
        fs::rename(aside.path().join(&file.name), &place).map_err(failed)?;
        put.push(place);
    }
    Ok(put)
}
