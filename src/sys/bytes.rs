//! Copying and comparing bytes, for the static binary on x86_64. On aarch64 musl's own are good.
//!
//! Most pieces of a record are shorter than 64 bytes. musl's `memcpy` takes some 30 cycles before the first of them is copied
//! (`rep movsq`), and its `memcmp` reads byte by byte. These take words that overlap at the end, so that no length needs a loop
//! of single bytes but those below 8.

use core::arch::naked_asm;

/// As C's. Also right where the two ranges overlap and `to` is the lower one: the end is read before anything is written,
/// and every other piece before it is overwritten.
// SAFETY: replaces the C library's function of that name and keeps to its contract: nothing but the two ranges is touched, and
// no register that belongs to the caller is changed.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "sub rdx, 16",
        "jb 3f",
        // Counted up to the last 16 bytes, from which both are reached.
        "add rsi, rdx",
        "add rdi, rdx",
        "movups xmm1, [rsi]",
        "neg rdx",
        "2:",
        "movups xmm0, [rsi + rdx]",
        "movups [rdi + rdx], xmm0",
        "add rdx, 16",
        "js 2b",
        "movups [rdi], xmm1",
        "ret",
        "3:",
        "add edx, 8",
        "js 4f",
        "mov rcx, [rsi]",
        "mov rsi, [rsi + rdx]",
        "mov [rdi], rcx",
        "mov [rdi + rdx], rsi",
        "ret",
        "4:",
        "add edx, 7",
        "js 6f",
        "5:",
        "mov cl, [rsi]",
        "mov [rdi], cl",
        "inc rsi",
        "inc rdi",
        "dec edx",
        "jns 5b",
        "6:",
        "ret",
    )
}

/// As C's: the ranges may overlap.
// SAFETY: as `memcpy`; the direction flag is clear again at the end.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "sub rax, rsi",
        "cmp rax, rdx",
        "jae {memcpy}",
        // Towards higher addresses into what is not read yet: backwards. Rare.
        "mov rax, rdi",
        "mov rcx, rdx",
        "lea rdi, [rdi + rdx - 1]",
        "lea rsi, [rsi + rdx - 1]",
        "std",
        "rep movsb",
        "cld",
        "ret",
        memcpy = sym memcpy,
    )
}

/// As C's: below, at or above zero as the first byte that differs is smaller, none, or greater.
// SAFETY: as `memcpy`; nothing is written.
#[cfg_attr(target_env = "musl", unsafe(no_mangle))]
#[unsafe(naked)]
pub unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
    naked_asm!(
        "xor eax, eax",
        "sub rdx, 8",
        "jb 5f",
        "xor r8d, r8d",
        "2:",
        "mov rax, [rdi + r8]",
        "mov rcx, [rsi + r8]",
        "cmp rax, rcx",
        "jne 4f",
        "cmp r8, rdx",
        "je 3f",
        "add r8, 8",
        "cmp r8, rdx",
        "cmova r8, rdx", // the last word overlaps the one before it
        "jmp 2b",
        "3:",
        "xor eax, eax",
        "ret",
        "4:",
        "bswap rax",
        "bswap rcx",
        "cmp rax, rcx",
        "sbb eax, eax",
        "or eax, 1",
        "ret",
        "5:",
        "add edx, 8",
        "jz 7f",
        "6:",
        "movzx eax, byte ptr [rdi]",
        "movzx ecx, byte ptr [rsi]",
        "inc rdi",
        "inc rsi",
        "sub eax, ecx",
        "jne 7f",
        "dec edx",
        "jnz 6b",
        "7:",
        "ret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 160] = {
        let mut bytes = [0; 160];
        let mut at = 0;
        while at < bytes.len() {
            bytes[at] = at as u8;
            at += 1;
        }
        bytes
    };

    #[test]
    fn copies_every_length_in_every_direction() {
        for length in 0..70 {
            for from in 0..80 {
                for to in 0..80 {
                    let mut expected = BYTES;
                    expected.copy_within(from..from + length, to);
                    let mut moved = BYTES;
                    let start = moved.as_mut_ptr();
                    // SAFETY: both ranges lie in the array.
                    let result = unsafe { memmove(start.add(to), start.add(from), length) };
                    assert_eq!(result as usize - start as usize, to);
                    assert_eq!(moved, expected, "{length} bytes from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn compares_every_length_as_slices_do() {
        for length in 0..70 {
            let one = &BYTES[..length];
            for differing in 0..=length {
                for by in [1, 0x80, 0xff] {
                    let mut other = one.to_vec();
                    if let Some(byte) = other.get_mut(differing) {
                        *byte ^= by;
                    }
                    for (a, b) in [(one, other.as_slice()), (other.as_slice(), one)] {
                        // SAFETY: both are of that length.
                        let order = unsafe { memcmp(a.as_ptr(), b.as_ptr(), length) };
                        assert_eq!(order.cmp(&0), a.cmp(b), "{a:?} {b:?}");
                    }
                }
            }
        }
    }
}
