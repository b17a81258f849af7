//! Gives free memory back to the system.
//!
//! glibc gives back what is free at the end of its heaps only. After a burst, one small allocation at the end keeps all free memory
//! before it. Other allocators that were tried need more memory from the start.

/// Gives back all free pages, where the allocator is glibc's. It takes milliseconds, and all allocations wait meanwhile.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no crate wraps this call")]
pub fn trim() {
    // SAFETY: it takes no pointer, may be called at any time, and locks what it changes.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Gives back all free pages, where the allocator is glibc's.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}
