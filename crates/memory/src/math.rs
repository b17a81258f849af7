//! C's functions that the program needs from `libm.so`, which is not loaded if they are here. It would take 0.6 MB of resident memory, for
//! one call in tokio's scheduler and for the simulator's waves.
//!
//! A binary that does not use this crate, or that needs further functions, is linked to `libm.so` as usual.

/// `x` to the power of `y`.
#[unsafe(no_mangle)]
extern "C" fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

#[unsafe(no_mangle)]
extern "C" fn sin(x: f64) -> f64 {
    libm::sin(x)
}

#[unsafe(no_mangle)]
extern "C" fn cos(x: f64) -> f64 {
    libm::cos(x)
}
