//! `cargo xtask tidy`: what the compiler does not check: edges, packages, headers, sizes, names, words.

use crate::failure::Failure;
use crate::place::Place;

mod command;
mod edge;
mod files;
mod header;
mod name;
mod package;
mod scan;
mod size;
mod words;

/// Prints the largest files and functions, then everything that is refused.
///
/// # Errors
/// When anything is refused, or the files cannot be read.
pub(crate) fn run(place: &Place) -> Result<(), Failure> {
    let files = files::read(&place.root)?;
    print_sizes("largest files", &size::largest_files(&files));
    print_sizes("largest functions", &size::largest_functions(&files));
    let problems = problems(place, &files);
    for problem in &problems {
        println!("tidy: {problem}");
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files, nothing refused", files.len());
            Ok(())
        }
        count => Err(Failure::new(format!("tidy refuses {count} things"))),
    }
}

fn problems(place: &Place, files: &[files::TextFile]) -> Vec<String> {
    [
        edge::check(&place.metadata),
        package::check(&place.metadata),
        header::check(files),
        size::check(files),
        name::check(files),
        words::check(files),
        command::check(files),
    ]
    .concat()
}

fn print_sizes(heading: &str, sizes: &[size::Sized]) {
    println!("{heading} (lines):");
    for sized in sizes {
        println!("{:7}  {}", sized.lines, sized.what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let place = Place::find().map_err(|failure| failure.words).unwrap();
        let files = files::read(&place.root).map_err(|failure| failure.words).unwrap();
        assert!(files.len() > 100);
        let problems = problems(&place, &files);
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
