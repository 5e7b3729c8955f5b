//! The allocator of the static binary, for one thread: blocks of powers of two, free lists, no locks.
//!
//! musl's own costs 8 KB of binary and takes its pages one by one; ours carves from memory that the kernel gives without being
//! asked (`.bss`), so a cold start makes no system call for it. Whoever builds against another C library gets that one's.
//! [`crate::entry`] puts it into a binary; the library only has it ready.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Smallest block: it must hold a pointer, and be aligned for everything.
const BLOCK_BYTES_MIN: usize = 32;
const CLASSES: usize = 12;
/// Larger ones are mappings of their own.
const BLOCK_BYTES_MAX: usize = BLOCK_BYTES_MIN << (CLASSES - 1);
const ARENA_BYTES: usize = 256 * 1024;

const PROT_READ_WRITE: i32 = 3;
const MAP_PRIVATE_ANONYMOUS: i32 = 0x22;
const MREMAP_MAYMOVE: i32 = 1;

unsafe extern "C" {
    fn mmap(
        at: *mut u8,
        bytes: usize,
        protection: i32,
        flags: i32,
        fd: i32,
        offset: i64,
    ) -> *mut u8;
    fn munmap(at: *mut u8, bytes: usize) -> i32;
    fn mremap(at: *mut u8, old: usize, new: usize, flags: i32, ...) -> *mut u8;
}

#[repr(align(64))]
struct Arena(#[expect(dead_code, reason = "used by its address")] [u8; ARENA_BYTES]);

/// The allocator. Its state stands in front of the arena, in a page that is touched anyhow.
#[repr(C)]
pub struct Memory {
    state: UnsafeCell<State>,
    arena: UnsafeCell<Arena>,
}

struct State {
    /// First free block of each class; each holds the address of the next.
    free: [*mut u8; CLASSES],
    /// What is not carved yet. Before the first use `end` is 0: the arena follows.
    next: usize,
    end: usize,
    is_arena_taken: bool,
}

// SAFETY: whoever has made one has promised that the process has one thread.
unsafe impl Sync for Memory {}

impl Memory {
    /// For [`crate::entry`] alone.
    ///
    /// # Safety
    ///
    /// One thread uses it, and no signal handler that goes back to what it has interrupted.
    #[must_use]
    pub const unsafe fn new() -> Memory {
        Memory {
            state: UnsafeCell::new(State {
                free: [null_mut(); CLASSES],
                next: 0,
                end: 0,
                is_arena_taken: false,
            }),
            arena: UnsafeCell::new(Arena([0; ARENA_BYTES])),
        }
    }
}

/// The class of a block, or `None` if it is a mapping.
fn class(layout: Layout) -> Option<usize> {
    let bytes = layout.size().max(layout.align()).max(BLOCK_BYTES_MIN);
    let class = bytes.next_power_of_two().trailing_zeros() - BLOCK_BYTES_MIN.trailing_zeros();
    (bytes <= BLOCK_BYTES_MAX).then_some(class as usize)
}

/// A mapping of zeros, or null.
fn map(bytes: usize) -> *mut u8 {
    // SAFETY: asks for new memory, and touches none.
    let at = unsafe {
        mmap(
            null_mut(),
            bytes,
            PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS,
            -1,
            0,
        )
    };
    if at as isize == -1 { null_mut() } else { at }
}

impl Memory {
    /// Cuts a block off the memory that is not carved yet. A block is aligned to its size within the arena's 64 bytes or
    /// the mapping's page, which is all that a layout of ours asks for.
    fn carve(&self, state: &mut State, bytes: usize) -> *mut u8 {
        let align = bytes.min(4096);
        let mut at = state.next.next_multiple_of(align);
        if at + bytes > state.end {
            let area = if state.is_arena_taken {
                map(ARENA_BYTES)
            } else {
                self.arena.get().cast()
            };
            if area.is_null() {
                return area;
            }
            state.is_arena_taken = true;
            state.end = area as usize + ARENA_BYTES;
            at = (area as usize).next_multiple_of(align);
        }
        state.next = at + bytes;
        at as *mut u8
    }
}

// SAFETY: a block is handed out once until it is given back: it comes from a free list, from which it is taken, or from
// memory never carved before. It is as large and as aligned as its class, which is at least its layout.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            return map(layout.size());
        };
        // SAFETY: one thread, and no other borrow is alive.
        let state = unsafe { &mut *self.state.get() };
        match state.free.get_mut(class) {
            Some(first) if !first.is_null() => {
                let block = *first;
                // SAFETY: a free block begins with the address of the next one.
                *first = unsafe { block.cast::<*mut u8>().read() };
                block
            }
            _ => self.carve(state, BLOCK_BYTES_MIN << class),
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's; a block is at least as long as its layout, and a new mapping is zero already.
        unsafe {
            let block = self.alloc(layout);
            if class(layout).is_some() && !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(class) = class(layout) else {
            // SAFETY: it was mapped with this size.
            unsafe { munmap(block, layout.size()) };
            return;
        };
        // SAFETY: one thread, and no other borrow is alive.
        let state = unsafe { &mut *self.state.get() };
        if let Some(first) = state.free.get_mut(class) {
            // SAFETY: the block is ours again, and large enough for a pointer.
            unsafe { block.cast::<*mut u8>().write(*first) };
            *first = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller keeps the size within bounds for this alignment.
        let new = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
        match (class(layout), class(new)) {
            (Some(old), Some(new)) if old == new => block,
            (None, None) => {
                // SAFETY: it was mapped with this size; the kernel moves its pages without copying.
                let at = unsafe { mremap(block, layout.size(), bytes, MREMAP_MAYMOVE) };
                if at as isize == -1 { null_mut() } else { at }
            }
            _ => {
                // SAFETY: the layout is valid; both blocks are at least as long as what is copied, and apart.
                unsafe {
                    let at = self.alloc(new);
                    if !at.is_null() {
                        at.copy_from_nonoverlapping(block, layout.size().min(bytes));
                        self.dealloc(block, layout);
                    }
                    at
                }
            }
        }
    }
}
