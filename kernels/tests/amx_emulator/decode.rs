//! What the bytes of an instruction say, and where its operands lie.

use super::tiles::TILES;
use core::ffi::c_int;

/// A decoded instruction. Addresses are those of the interrupted code; tile numbers are below 8.
pub enum Operation {
    LoadConfiguration(usize),
    StoreConfiguration(usize),
    Release,
    Zero(usize),
    Load(usize, Memory),
    Store(usize, Memory),
    Product { kind: Product, target: usize, left: usize, right: usize },
}

/// What a dot-product instruction multiplies.
#[derive(Clone, Copy)]
pub enum Product {
    Integer { left_signed: bool, right_signed: bool },
    Bf16,
}

/// A memory operand: base and displacement, and the index after scaling, which is the stride of a tile.
pub struct Memory {
    pub start: usize,
    pub index: usize,
}

/// Reads the instruction at RIP, byte by byte and no further than each byte calls for.
pub struct Decoder<'a> {
    pub registers: &'a [libc::greg_t; 23],
    pub read: i64,
}

impl Decoder<'_> {
    /// # Safety
    /// The bytes so far are the beginning of an instruction at RIP that is at least one byte longer.
    unsafe fn byte(&mut self) -> u8 {
        let address = self.registers[libc::REG_RIP as usize] + self.read;
        self.read += 1;
        // SAFETY: the instruction has this byte, so the processor reads it too.
        unsafe { (address as *const u8).read() }
    }

    /// # Safety
    /// As for [`Self::byte`], by four bytes.
    unsafe fn dword(&mut self) -> i32 {
        // SAFETY: by the promise of the caller.
        i32::from_le_bytes(core::array::from_fn(|_| unsafe { self.byte() }))
    }

    /// General-purpose register `number`, counted as instructions count them.
    fn register(&self, number: u8) -> usize {
        use libc::{REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
        use libc::{REG_RAX, REG_RBP, REG_RBX, REG_RCX, REG_RDI, REG_RDX, REG_RSI, REG_RSP};
        const LOW: [c_int; 8] = [REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI];
        const HIGH: [c_int; 8] = [REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15];
        let place = if number < 8 { LOW[usize::from(number)] } else { HIGH[usize::from(number - 8)] };
        self.registers[place as usize] as usize
    }

    /// The instruction, or nothing where it is none of the table.
    ///
    /// All encodings are `VEX.128.pp.0F38.W0`, three-byte VEX (C4); source: Intel SDM vol. 2. `mem` is any memory operand, `sib` one
    /// with a SIB byte; `dst` is `ModRM.reg`, `a` `ModRM.rm`, `b` `VEX.vvvv`, which is 1111b where it is not an operand.
    ///
    /// | instruction            | pp | opcode | `ModRM`      |
    /// |------------------------|----|--------|--------------|
    /// | ldtilecfg mem          | NP | 49     | !11:000:mem  |
    /// | sttilecfg mem          | 66 | 49     | !11:000:mem  |
    /// | tilerelease            | NP | 49     | C0           |
    /// | tilezero dst           | F2 | 49     | 11:dst:000   |
    /// | tileloadd dst, sib     | F2 | 4B     | !11:dst:100  |
    /// | tileloaddt1 dst, sib   | 66 | 4B     | !11:dst:100  |
    /// | tilestored sib, dst    | F3 | 4B     | !11:dst:100  |
    /// | tdpbssd dst, a, b      | F2 | 5E     | 11:dst:a     |
    /// | tdpbsud dst, a, b      | F3 | 5E     | 11:dst:a     |
    /// | tdpbusd dst, a, b      | 66 | 5E     | 11:dst:a     |
    /// | tdpbuud dst, a, b      | NP | 5E     | 11:dst:a     |
    /// | tdpbf16ps dst, a, b    | F3 | 5C     | 11:dst:a     |
    ///
    /// # Safety
    /// RIP points to an instruction that the thread is about to run.
    pub unsafe fn instruction(&mut self) -> Option<Operation> {
        // SAFETY: every instruction has a first byte; one that begins with C4 has two more bytes of prefix and an opcode, and in
        // map 0F38 a ModRM byte.
        let [extension, second, opcode, modrm] = unsafe {
            if self.byte() != 0xC4 {
                return None;
            }
            let (extension, second) = (self.byte(), self.byte());
            if extension & 0x1F != 0x02 || second & 0x84 != 0 {
                return None; // not 0F38, or W1, or 256 bits
            }
            [extension, second, self.byte(), self.byte()]
        };
        let is_register = modrm >> 6 == 3;
        let register = modrm >> 3 & 7 | !extension >> 7 << 3;
        let third = !second >> 3 & 15; // 0 stands for 1111b, no operand
        if is_register && opcode != 0x49 {
            let kind = product(opcode, second & 3)?;
            let left = modrm & 7 | (!extension >> 5 & 1) << 3;
            return Some(Operation::Product { kind, target: tile(register)?, left: tile(left)?, right: tile(third)? });
        }
        if third != 0 {
            return None;
        }
        let low = modrm & 7;
        match (opcode, second & 3, is_register) {
            (0x49, NONE, true) if modrm == 0xC0 => Some(Operation::Release),
            (0x49, BY_F2, true) if low == 0 => Some(Operation::Zero(tile(register)?)),
            // SAFETY: ModRM names a memory operand, whose bytes follow.
            (0x49, NONE | BY_66, false) if register == 0 => unsafe {
                let memory = self.memory(modrm, extension)?;
                let address = memory.start.wrapping_add(memory.index);
                let store = second & 3 == BY_66;
                Some(if store { Operation::StoreConfiguration(address) } else { Operation::LoadConfiguration(address) })
            },
            // SAFETY: as above.
            (0x4B, BY_F2 | BY_66 | BY_F3, false) if low == 4 => unsafe {
                let (tile, memory) = (tile(register)?, self.memory(modrm, extension)?);
                Some(if second & 3 == BY_F3 { Operation::Store(tile, memory) } else { Operation::Load(tile, memory) })
            },
            _ => None,
        }
    }

    /// The memory operand, or nothing where it is relative to RIP. Without index the stride is 0 (SDM, TILELOADD).
    ///
    /// # Safety
    /// As for [`Self::byte`], by the bytes of the operand that follow `ModRM`.
    unsafe fn memory(&mut self, modrm: u8, extension: u8) -> Option<Memory> {
        let (mode, low, high) = (modrm >> 6, modrm & 7, (!extension >> 5 & 1) << 3);
        let (base, index) = if low == 4 {
            // SAFETY: `low` says that a SIB byte follows.
            let sib = unsafe { self.byte() };
            let number = sib >> 3 & 7 | (!extension >> 6 & 1) << 3;
            let index = if number == 4 { 0 } else { self.register(number) << (sib >> 6) };
            if sib & 7 == 5 && mode == 0 {
                // SAFETY: this form has a displacement of 32 bits and no base.
                return Some(Memory { start: unsafe { self.dword() } as isize as usize, index });
            }
            (self.register(sib & 7 | high), index)
        } else if low == 5 && mode == 0 {
            return None;
        } else {
            (self.register(low | high), 0)
        };
        // SAFETY: `mode` says how long the displacement is.
        let displacement = unsafe {
            match mode {
                0 => 0,
                1 => i32::from(self.byte() as i8),
                _ => self.dword(),
            }
        };
        Some(Memory { start: base.wrapping_add_signed(displacement as isize), index })
    }
}

// The two bits `pp` of the VEX prefix.
const NONE: u8 = 0;
const BY_66: u8 = 1;
const BY_F3: u8 = 2;
const BY_F2: u8 = 3;

/// What the instruction multiplies, if it is a product.
fn product(opcode: u8, prefix: u8) -> Option<Product> {
    match (opcode, prefix) {
        (0x5E, BY_F2) => Some(Product::Integer { left_signed: true, right_signed: true }),
        (0x5E, BY_F3) => Some(Product::Integer { left_signed: true, right_signed: false }),
        (0x5E, BY_66) => Some(Product::Integer { left_signed: false, right_signed: true }),
        (0x5E, NONE) => Some(Product::Integer { left_signed: false, right_signed: false }),
        (0x5C, BY_F3) => Some(Product::Bf16),
        _ => None,
    }
}

fn tile(number: u8) -> Option<usize> {
    (usize::from(number) < TILES).then_some(number.into())
}
