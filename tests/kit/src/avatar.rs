//! Small real images: one identicon for every seed.

/// Pixels of one side.
const SIDE: u32 = 64;
/// Cells of one side; mirrored, so that 3 columns decide 5.
const CELLS: u32 = 5;

/// A PNG avatar of 64 x 64 pixels: symmetrical coloured cells, the same for the same seed. No two seeds give the same
/// bytes: the seed also stands in a text chunk.
///
/// # Panics
/// Never: it writes to memory, with a header that is right.
#[must_use]
pub fn png(seed: u64) -> Vec<u8> {
    encode(seed).unwrap_or_else(|error| panic!("failed to encode a PNG in memory: {error}"))
}

fn encode(seed: u64) -> Result<Vec<u8>, png::EncodingError> {
    let bits = mix(seed);
    let [red, green, blue, ..] = mix(bits).to_le_bytes();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    // The light ground, and a colour dark enough to stand out from it.
    encoder.set_palette(vec![240, 240, 240, red / 4 * 3, green / 4 * 3, blue / 4 * 3]);
    encoder.add_text_chunk("Comment".to_owned(), format!("avatar {seed}"))?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels(bits))?;
    writer.finish()?;
    Ok(bytes)
}

fn pixels(bits: u64) -> Vec<u8> {
    let position = |index: u32| (index % SIDE, index / SIDE);
    (0..SIDE * SIDE)
        .map(|index| {
            let (x, y) = position(index);
            u8::from(filled(bits, x, y))
        })
        .collect()
}

fn filled(bits: u64, x: u32, y: u32) -> bool {
    let margin = 2;
    let cell = (SIDE - 2 * margin) / CELLS;
    let inside = |at: u32| (margin..margin + cell * CELLS).contains(&at);
    if !inside(x) || !inside(y) {
        return false;
    }
    let (column, row) = ((x - margin) / cell, (y - margin) / cell);
    let mirrored = column.min(CELLS - 1 - column);
    bits >> (row * 3 + mirrored) & 1 == 1
}

/// SplitMix64: neighbouring seeds give unlike images.
fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{encode, png};

    #[test]
    fn every_seed_has_an_image_of_its_own_and_always_the_same() {
        let images: BTreeSet<Vec<u8>> = (0..500).map(png).collect();
        assert_eq!(images.len(), 500);
        assert_eq!(png(7), png(7));
        assert!(encode(u64::MAX).is_ok());
    }

    #[test]
    fn it_is_an_image_that_a_decoder_reads() {
        let bytes = png(42);
        let reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info();
        let header = reader.map(|reader| (reader.info().width, reader.info().height));
        assert_eq!(header.ok(), Some((64, 64)));
    }
}
