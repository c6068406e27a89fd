//! 64 bytes of a JSON text at once, as bits: where strings begin and end, and where brackets stand outside of them.
//!
//! The idea is simdjson's. Each sign is compared with all bytes in parallel, which gives a bit for each byte; the rest is
//! arithmetic on these bits. A quote is escaped if an odd number of backslashes stands before it, and a byte is
//! inside a string if an odd number of unescaped quotes does. Both are carried from block to block.

/// How many bytes a block has: as many as a word has bits.
pub(super) const WIDTH: usize = 64;

/// What a block has, byte `i` in bit `i`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Block {
    /// The quotes at both ends of strings.
    pub(super) quotes: u64,
    /// All backslashes.
    pub(super) backslashes: u64,
    /// `{` and `[` outside of strings.
    pub(super) opens: u64,
    /// `}` and `]` outside of strings.
    pub(super) closes: u64,
    /// How many brackets open.
    pub(super) opened: u32,
    /// How many brackets close.
    pub(super) closed: u32,
}

/// What goes on in the next block.
#[derive(Clone, Copy, Default)]
pub(super) struct Carry {
    /// All ones inside of a string.
    in_string: u64,
    /// One if the next byte is escaped.
    escaped: u64,
}

/// Where the signs are, whatever stands around them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Signs {
    quotes: u64,
    backslashes: u64,
    opens: u64,
    closes: u64,
}

/// `[` and `{` differ in this bit, as do `]` and `}`, and nothing else becomes one of them with it.
const BRACKETS_ALIKE: u8 = 0x20;

/// Works out the blocks of bytes that follow one another, as many as there are of both.
#[allow(unsafe_code, reason = "what not every processor has may be used by who has asked")]
pub(super) fn work_out(blocks: &mut [Block], bytes: &[[u8; WIDTH]], carry: &mut Carry) {
    #[cfg(target_arch = "x86_64")]
    if wide::is_512_possible() {
        // SAFETY: the processor has all that the function was compiled for; that is all it asks.
        return unsafe { wide::work_out_512(blocks, bytes, carry) };
    } else if wide::is_256_possible() {
        // SAFETY: as above.
        return unsafe { wide::work_out_256(blocks, bytes, carry) };
    }
    for (block, bytes) in blocks.iter_mut().zip(bytes) {
        *block = carry.block(portable::signs(bytes), portable::odd_so_far);
    }
}

impl Carry {
    /// The next block, of which these are the signs. `odd_so_far` says for each bit whether the number of bits up to
    /// and with it is odd.
    #[inline(always)]
    fn block(&mut self, signs: Signs, odd_so_far: impl Fn(u64) -> u64) -> Block {
        let quotes = signs.quotes & !self.escaped(signs.backslashes);
        let in_string = odd_so_far(quotes) ^ self.in_string;
        // The sign bit, in all places.
        self.in_string = (in_string.cast_signed() >> 63).cast_unsigned();
        let (opens, closes) = (signs.opens & !in_string, signs.closes & !in_string);
        Block {
            quotes,
            backslashes: signs.backslashes,
            opens,
            closes,
            opened: opens.count_ones(),
            closed: closes.count_ones(),
        }
    }

    /// The bytes that are escaped: those after an odd number of backslashes.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let after_one = backslashes << 1 | self.escaped;
        // Adding a run's first bit to the run carries to the place after it. Of a run that begins at an odd place, the
        // escaped bytes are at even ones.
        let odd_begins = backslashes & !EVEN & !after_one;
        let (carried, overflows) = odd_begins.overflowing_add(backslashes);
        self.escaped = overflows.into();
        (EVEN ^ carried << 1) & after_one
    }
}

/// The signs with the wide registers of x86-64, 64 or 32 bytes in each.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_m128i, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
        _mm512_or_si512, _mm512_set_epi64, _mm512_set1_epi8,
    };

    use super::{BRACKETS_ALIKE, Block, Carry, Signs, WIDTH};

    pub(super) fn is_256_possible() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("popcnt")
    }

    pub(super) fn is_512_possible() -> bool {
        is_256_possible() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,pclmulqdq,popcnt")]
    pub(super) fn work_out_256(blocks: &mut [Block], bytes: &[[u8; WIDTH]], carry: &mut Carry) {
        for (block, bytes) in blocks.iter_mut().zip(bytes) {
            *block = carry.block(signs_256(bytes), |bits| odd_so_far(bits));
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2,pclmulqdq,popcnt")]
    pub(super) fn work_out_512(blocks: &mut [Block], bytes: &[[u8; WIDTH]], carry: &mut Carry) {
        for (block, bytes) in blocks.iter_mut().zip(bytes) {
            *block = carry.block(signs_512(bytes), |bits| odd_so_far(bits));
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn signs_256(bytes: &[u8; WIDTH]) -> Signs {
        let [a, b, c, d, e, f, g, h] = words(bytes);
        let low = _mm256_set_m128i(_mm_set_epi64x(d, c), _mm_set_epi64x(b, a));
        let high = _mm256_set_m128i(_mm_set_epi64x(h, g), _mm_set_epi64x(f, e));
        let alike = _mm256_set1_epi8(BRACKETS_ALIKE.cast_signed());
        let (low_alike, high_alike) = (_mm256_or_si256(low, alike), _mm256_or_si256(high, alike));
        Signs {
            quotes: equal_256(low, high, b'"'),
            backslashes: equal_256(low, high, b'\\'),
            opens: equal_256(low_alike, high_alike, b'{'),
            closes: equal_256(low_alike, high_alike, b'}'),
        }
    }

    /// A bit for each byte: whether it is this one.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn equal_256(low: __m256i, high: __m256i, byte: u8) -> u64 {
        let byte = _mm256_set1_epi8(byte.cast_signed());
        let [low, high] =
            [low, high].map(|half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, byte)).cast_unsigned());
        u64::from(low) | u64::from(high) << 32
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn signs_512(bytes: &[u8; WIDTH]) -> Signs {
        let [a, b, c, d, e, f, g, h] = words(bytes);
        let all = _mm512_set_epi64(h, g, f, e, d, c, b, a);
        let all_alike = _mm512_or_si512(all, _mm512_set1_epi8(BRACKETS_ALIKE.cast_signed()));
        let equal = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
        Signs {
            quotes: equal(all, b'"'),
            backslashes: equal(all, b'\\'),
            opens: equal(all_alike, b'{'),
            closes: equal(all_alike, b'}'),
        }
    }

    /// A load, once the compiler has put it together again: no intrinsic that takes a reference exists.
    #[inline(always)]
    fn words(bytes: &[u8; WIDTH]) -> [i64; 8] {
        let (words, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|place| i64::from_le_bytes(words[place]))
    }

    /// A product without carries with all ones.
    #[target_feature(enable = "pclmulqdq")]
    #[inline]
    fn odd_so_far(bits: u64) -> u64 {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits.cast_signed()), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product).cast_unsigned()
    }
}

/// The same with whole words, eight bytes in each.
mod portable {
    use super::{BRACKETS_ALIKE, Signs, WIDTH};

    const LOW_BITS: u64 = u64::from_le_bytes([1; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

    pub(super) fn signs(bytes: &[u8; WIDTH]) -> Signs {
        let (words, _) = bytes.as_chunks::<8>();
        let bits = |byte: u8, alike: u8| {
            let words = words.iter().map(|word| u64::from_le_bytes(*word) | (LOW_BITS * u64::from(alike)));
            words.enumerate().fold(0, |bits, (place, word)| bits | equal(word, byte) << (8 * place))
        };
        Signs {
            quotes: bits(b'"', 0),
            backslashes: bits(b'\\', 0),
            opens: bits(b'{', BRACKETS_ALIKE),
            closes: bits(b'}', BRACKETS_ALIKE),
        }
    }

    pub(super) fn odd_so_far(bits: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, step| bits ^ bits << step)
    }

    /// A bit for each of eight bytes: whether it is this one.
    fn equal(word: u64, byte: u8) -> u64 {
        let differs = word ^ (LOW_BITS * u64::from(byte));
        let zeros = !(((differs & !HIGH_BITS) + !HIGH_BITS) | differs) & HIGH_BITS;
        // The highest bits of the bytes, gathered in the product's highest byte.
        (zeros >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, byte by byte.
    fn plainly(bytes: &[u8]) -> Vec<Block> {
        let (mut in_string, mut is_escaped) = (false, false);
        let block = |bytes: &[u8]| {
            let mut block = Block::default();
            for (place, byte) in bytes.iter().enumerate() {
                let bit = 1 << place;
                let was_escaped = std::mem::take(&mut is_escaped);
                match byte {
                    b'\\' => {
                        block.backslashes |= bit;
                        is_escaped = !was_escaped;
                    }
                    b'"' if !was_escaped => {
                        block.quotes |= bit;
                        in_string = !in_string;
                    }
                    b'{' | b'[' if !in_string => {
                        block.opens |= bit;
                        block.opened += 1;
                    }
                    b'}' | b']' if !in_string => {
                        block.closes |= bit;
                        block.closed += 1;
                    }
                    _ => {}
                }
            }
            block
        };
        bytes.chunks(WIDTH).map(block).collect()
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let sign = prop::sample::select(b"\\\\\\\"\"[]{}\x5a\x7a\x02,: a".as_slice());
        let byte = prop_oneof![4 => sign, 1 => any::<u8>()];
        prop::collection::vec(prop::array::uniform32(byte), 2..16)
            .prop_map(|halves| halves[..halves.len() / 2 * 2].concat())
    }

    proptest! {
        #[test]
        fn blocks_are_what_a_loop_over_the_bytes_finds(bytes in bytes()) {
            let (chunks, rest) = bytes.as_chunks::<WIDTH>();
            prop_assert!(rest.is_empty());
            let expected = plainly(&bytes);
            let mut blocks = vec![Block::default(); chunks.len()];
            for way in ways() {
                way(&mut blocks, chunks, &mut Carry::default());
                prop_assert_eq!(&blocks, &expected);
            }
        }
    }

    type Way = fn(&mut [Block], &[[u8; WIDTH]], &mut Carry);

    /// All ways that this processor has.
    fn ways() -> Vec<Way> {
        let mut ways: Vec<Way> = vec![work_out, |blocks, bytes, carry| {
            for (block, bytes) in blocks.iter_mut().zip(bytes) {
                *block = carry.block(portable::signs(bytes), portable::odd_so_far);
            }
        }];
        #[cfg(target_arch = "x86_64")]
        if wide::is_256_possible() {
            #[allow(unsafe_code, reason = "asked right before")]
            // SAFETY: the processor has all that the function was compiled for.
            ways.push(|blocks, bytes, carry| unsafe { wide::work_out_256(blocks, bytes, carry) });
        }
        ways
    }
}
