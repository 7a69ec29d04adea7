//! The operating system's random generator, in the shape that the rest of the project takes as an
//! argument. The servers make one where they take a request; the pure crates never name it.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// The system generator of aws-lc-rs.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        aws_lc_rs::rand::fill(bytes).expect("without entropy no secret may be made, so stop here");
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}
