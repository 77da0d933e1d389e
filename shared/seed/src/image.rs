//! One picture for each product, drawn from its address alone.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

const GLYPHS: [&str; 12] = ["🛋", "💡", "🧶", "🍳", "🍽", "☕", "🧥", "👟", "👜", "⛺", "🪴", "✒"];

/// Where a product's picture is: the gateway's address for what [`svg`] draws, with a hash of it.
pub fn image_url(category: usize, product: u32) -> String {
    let name = name(category, hue(product));
    let hash = HEXLOWER.encode(&Sha256::digest(draw(category, hue(product)))[..4]);
    format!("/images/{name}-{hash}.svg")
}

/// The picture at an address, where it is one of ours: the part between `/images/` and `.svg`.
pub fn svg(name_and_hash: &str) -> Option<String> {
    let mut parts = name_and_hash.split('-');
    let category: usize =
        parts.next()?.strip_prefix('c')?.parse().ok().filter(|place| *place < GLYPHS.len())?;
    let hue: u32 = parts.next()?.strip_prefix('h')?.parse().ok().filter(|hue| *hue < 360)?;
    let picture = draw(category, hue);
    let hash = HEXLOWER.encode(&Sha256::digest(&picture)[..4]);
    (parts.next() == Some(hash.as_str()) && parts.next().is_none()).then_some(picture)
}

fn name(category: usize, hue: u32) -> String {
    format!("c{category}-h{hue}")
}

fn hue(product: u32) -> u32 {
    // Steps of the golden angle: neighbours look unlike.
    product.wrapping_mul(137) % 360
}

fn draw(category: usize, hue: u32) -> String {
    let glyph = GLYPHS[category % GLYPHS.len()];
    let other = (hue + 40) % 360;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 600\" width=\"600\" height=\"600\">\
         <defs><linearGradient id=\"g\" x2=\"1\" y2=\"1\"><stop stop-color=\"hsl({hue} 55% 82%)\"/>\
         <stop offset=\"1\" stop-color=\"hsl({other} 50% 62%)\"/></linearGradient></defs>\
         <rect width=\"600\" height=\"600\" fill=\"url(#g)\"/>\
         <text x=\"300\" y=\"300\" font-size=\"220\" text-anchor=\"middle\" dominant-baseline=\"central\">{glyph}</text>\
         </svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_found_at_its_address_and_nowhere_else() {
        let url = image_url(3, 77);
        let name = url.trim_start_matches("/images/").trim_end_matches(".svg");
        assert!(svg(name).unwrap().starts_with("<svg"));
        for wrong in ["", "c3", "c3-h5-00000000", "c99-h5-00000000", "../etc/passwd"] {
            assert_eq!(svg(wrong), None, "{wrong}");
        }
    }
}
