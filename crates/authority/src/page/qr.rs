//! Pictures that a camera reads.

use qrcode::QrCode;
use qrcode::render::svg;
use qrcode::types::QrError;

/// An image file.
///
/// # Errors
/// [`QrError`] when the text is too long.
pub(crate) fn image(text: &str) -> Result<String, QrError> {
    let code = QrCode::new(text)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

/// The same as an element of a page.
pub(super) fn inline(text: &str) -> Option<String> {
    let image = image(text).ok()?;
    let at = image.find("<svg")?;
    image.get(at..).map(str::to_owned)
}
