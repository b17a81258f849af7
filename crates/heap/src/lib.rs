//! Gives free memory back to the system.
//!
//! glibc gives back only the free memory at the end of a heap. After a burst, one small allocation at the end keeps all free memory
//! before it. Other allocators that were tried need more memory from the start.

/// Gives back all free pages, if the allocator is glibc's. It takes milliseconds, and all allocations wait meanwhile.
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
