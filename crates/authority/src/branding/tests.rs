//! That the style sheet and what is made for it fit together.

use super::tones::{DARK, LIGHT};
use super::{Accent, BUILT_IN, Branding, Colour, ICON, Own, STYLE};

#[test]
fn the_style_sheet_has_the_grounds_that_colours_are_held_against() {
    let short = |colour: Colour| {
        if colour == Colour::WHITE { "#fff".to_owned() } else { colour.to_string() }
    };
    let (light, dark) = STYLE.split_once("prefers-color-scheme: dark").expect("two themes");
    for (theme, part) in [(&LIGHT, light), (&DARK, dark)] {
        assert!(part.contains(&format!("--card: {};", short(theme.card))), "{theme:?}");
        assert!(part.contains(&format!("--ground: {};", theme.ground)), "{theme:?}");
    }
    assert!(
        light.contains(&format!("--accent: {BUILT_IN};")) && ICON.contains(&BUILT_IN.to_string())
    );
    assert!(light.contains("--text-soft: #565c6d;") && dark.contains("--text-soft: #a3a9ba;"));
}

#[test]
fn a_colour_is_in_the_style_sheet_and_changes_its_name() {
    let plain = Branding::default();
    let yellow = Colour::new(0xff, 0xcc, 0x00);
    let accent = Some(Accent { light: yellow, dark: Colour::new(0x5f, 0xd3, 0x9b) });
    let own = Branding::new(Own { accent, ..Own::default() });
    let text = std::str::from_utf8(&own.style.content).expect("text");
    assert_ne!(plain.style.name, own.style.name);
    let (_, added) = text.split_at(STYLE.len());
    let (light, dark) = added.split_once("@media").expect("two themes");
    for declared in ["--accent: #ffcc00;", "--on-accent: #000000;"] {
        assert!(light.contains(declared), "{added}");
    }
    assert!(dark.contains("--accent: #5fd39b;"), "{added}");
    for line in added.lines().filter(|line| line.contains(": #")) {
        let name = line.trim().split(':').next().expect("name");
        assert!(STYLE.contains(&format!("var({name})")), "nothing uses {name}");
    }
    assert!(own.asset(&own.style.name).is_some() && own.asset(&plain.style.name).is_none());
    let icon = std::str::from_utf8(&own.icon.content).expect("text");
    assert!(icon.contains("fill=\"#ffcc00\"") && icon.contains("stroke=\"#000000\""), "{icon}");
}
