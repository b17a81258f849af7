//! The three functions of C's `libm.so` that the program calls. tokio's scheduler calls `pow`, and the waves of the simulator call `sin` and
//! `cos`. The linker finds them here, so the library is not loaded. It would take 0.5 MB of resident memory.
//!
//! A program that calls further functions of `libm.so` still loads it.

/// `x` to the power of `y`.
#[unsafe(no_mangle)]
extern "C" fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// The sine of an angle in radians.
#[unsafe(no_mangle)]
extern "C" fn sin(angle: f64) -> f64 {
    libm::sin(angle)
}

/// The cosine of an angle in radians.
#[unsafe(no_mangle)]
extern "C" fn cos(angle: f64) -> f64 {
    libm::cos(angle)
}
