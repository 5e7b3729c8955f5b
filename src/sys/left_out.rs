//! What of musl is kept out of the static binary, because nothing uses it.

/// Its standard streams: nothing is written through them, so nothing is left to flush when `main` returns. They are linked for
/// an unwinder that is itself left out.
// SAFETY: replaces the C library's function of that name, by which its streams ask to be flushed at the end; that it is not
// its own is all that counts, for it is never called.
#[unsafe(no_mangle)]
extern "C" fn __stdio_exit_needed() {}

/// Its table of error texts (2 KB): nothing that kinglet prints contains one. This is what the standard library calls to describe
/// an error number, and the description is empty.
///
/// # Safety
///
/// As POSIX says: `text` has room for `length` bytes.
// SAFETY: replaces the C library's function of that name, which is linked only if nobody defines it.
#[unsafe(no_mangle)]
unsafe extern "C" fn __xpg_strerror_r(
    _error: i32,
    text: *mut core::ffi::c_char,
    length: usize,
) -> i32 {
    if length > 0 {
        // SAFETY: there is room for at least one byte.
        unsafe { text.write(0) };
    }
    0
}
