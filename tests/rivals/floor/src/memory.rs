//! What `core` expects of a C library, in the shortest form.

/// # Safety
/// As in C: `length` bytes at both addresses.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for at in 0..length {
        // SAFETY: the caller's promise.
        let (left, right) = unsafe { (*left.add(at), *right.add(at)) };
        if left != right {
            return i32::from(left) - i32::from(right);
        }
    }
    0
}

/// # Safety
/// As in C: `length` bytes at the address.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    for at in 0..length {
        // SAFETY: the caller's promise.
        unsafe { *to.add(at) = byte as u8 };
    }
    to
}

/// # Safety
/// As in C: a null byte follows.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller's promise.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    length
}
