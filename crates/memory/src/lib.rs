//! Keeps the resident memory of a process small. All threads share one heap, free memory goes back to the system, and the C library of
//! mathematics is not loaded.
//!
//! Call [`share`] at the start of `main`, and [`trim`] after a burst.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a function can have the name that C code calls only in this way")]
mod math;

/// Makes all threads share one heap, if the allocator is glibc's. With a heap for each thread, the memory that one thread has freed is of no
/// use to the others. Each thread still has its cache of small blocks. Call this before other threads start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub fn share() {
    // SAFETY: the function takes no pointer, and fails only for a parameter that it does not know.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Makes all threads share one heap, if the allocator is glibc's.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn share() {}

/// Gives back all free pages, if the allocator is glibc's. It takes milliseconds, and all allocations wait meanwhile.
///
/// glibc gives back only the free memory at the end of a heap. After a burst, one small allocation at the end keeps all free memory
/// before it. Other allocators that were tried need more memory from the start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub fn trim() {
    // SAFETY: the function takes no pointer, can be called at any time, and locks what it changes.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives back all free pages, if the allocator is glibc's.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}
