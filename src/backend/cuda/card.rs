//! An NVIDIA card: memory that it reads and writes without the processor, and passes that are recorded once and then launched whole.

use super::bert::Bert;
use super::bucket::Bucket;
use super::stage::Stage;
use super::workspace::Workspace;
use crate::backend::contiguous::{outside, range};
use candle_core::cuda_backend::WrapErr as _;
use candle_core::cuda_backend::cudarc::cublas::sys::{cublasSetWorkspace_v2, cublasStatus_t};
use candle_core::cuda_backend::cudarc::driver::sys::{CUevent_flags, CUgraphInstantiate_flags, CUstreamCaptureMode};
use candle_core::cuda_backend::cudarc::driver::{
    CudaContext, CudaEvent, CudaGraph, CudaSlice, CudaStream, DevicePtr as _, PinnedHostSlice,
};
use candle_core::{CpuStorage, CudaDevice, CudaStorage, Device, InplaceOp1, Layout, Result, Storage, Tensor, bail};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// cuBLAS's own memory, as much as its makers advise for Hopper; given to it, it asks for none while a graph is recorded.
const BLAS_BYTES: usize = 32 << 20;

/// How long a thread waits for the card without going to sleep.
const AWAKE: Duration = Duration::from_micros(300);

/// One stream of work on a card.
pub struct Card {
    stream: Arc<CudaStream>,
    input: PinnedHostSlice<u32>,
    output: PinnedHostSlice<f32>,
    /// By the length of the input. Nothing where recording failed: such passes are launched kernel by kernel.
    recorded: HashMap<usize, Option<Recorded>>,
    /// Comes when what was asked for last is done.
    done: CudaEvent,
    _blas: CudaSlice<u8>,
}

/// A pass as a graph.
struct Recorded(CudaGraph);

#[expect(unsafe_code, reason = "CUDA's graphs may be used by any thread, by one at a time")]
// SAFETY: only its `Card`, which has one owner, launches it.
unsafe impl Send for Recorded {}

/// The first card, with a stream of its own.
///
/// # Errors
/// When there is none or its driver fails.
#[expect(unsafe_code, reason = "see below")]
pub fn device() -> Result<Device> {
    let device = CudaDevice::new_with_stream(0)?;
    // SAFETY: everything that is made on this device is used on its one stream.
    unsafe { device.disable_event_tracking() };
    Ok(Device::Cuda(device))
}

/// Refuses where there is no card.
pub fn present() -> std::result::Result<(), &'static str> {
    match CudaContext::device_count() {
        Ok(1..) => Ok(()),
        _ => Err("there is no NVIDIA card, its driver does not answer, or CUDA_VISIBLE_DEVICES hides it"),
    }
}

/// The card's name.
pub fn name() -> String {
    CudaContext::new(0).and_then(|context| context.name()).unwrap_or_else(|error| format!("a card without a name: {error}"))
}

/// Bytes in use on the card, by anybody.
pub fn bytes() -> Option<u64> {
    let (free, total) = CudaContext::new(0).and_then(|context| context.mem_get_info()).ok()?;
    u64::try_from(total.saturating_sub(free)).ok()
}

impl Card {
    /// A stream of passes on `device`, whose results have at most `output` values.
    ///
    /// # Errors
    /// When there is no memory.
    #[expect(unsafe_code, reason = "see below")]
    pub fn new(device: &CudaDevice, output: usize) -> Result<Self> {
        let stream = device.cuda_stream();
        let context = stream.context();
        // SAFETY: both are written before they are read.
        let (input, output) = unsafe {
            let input = context.alloc_pinned::<u32>(Bucket::LARGEST.places().end).w()?;
            (input, context.alloc_pinned_with_flags::<f32>(output, 0).w()?)
        };
        let blas = device.alloc_zeros::<u8>(BLAS_BYTES)?;
        let handle = device.cublas_handle();
        let (place, _) = blas.device_ptr(&stream);
        // SAFETY: the memory is there as long as this stage, which is the only one to use the handle.
        let status = unsafe { cublasSetWorkspace_v2(*handle.handle(), place as *mut _, BLAS_BYTES) };
        if status != cublasStatus_t::CUBLAS_STATUS_SUCCESS {
            bail!("cuBLAS does not take its workspace: {status:?}");
        }
        let done = context.new_event(Some(CUevent_flags::CU_EVENT_BLOCKING_SYNC)).w()?;
        Ok(Self { stream: Arc::clone(&stream), input, output, recorded: HashMap::new(), done, _blas: blas })
    }

    /// Waits for everything that was asked for: awake for a while, since a lone message is done sooner than a thread wakes up, then asleep,
    /// since the processor has other work.
    fn wait(&self) -> Result<()> {
        self.done.record(&self.stream).w()?;
        let since = Instant::now();
        while since.elapsed() < AWAKE {
            if self.done.is_complete() {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        self.done.synchronize().w()
    }

    /// Records a pass that has run once, so that everything it needs is loaded.
    fn record(&self, network: &Bert, at: &Workspace) -> Result<Option<Recorded>> {
        self.stream.synchronize().w()?;
        self.stream.begin_capture(CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).w()?;
        let passed = network.forward(at);
        // Ended in any case, or the stream could not be used again.
        let graph = self.stream.end_capture(CUgraphInstantiate_flags(0)).w();
        passed?;
        let graph = graph?.map(Recorded);
        if let Some(graph) = &graph {
            graph.0.upload().w()?;
        }
        Ok(graph)
    }
}

impl Stage for Card {
    fn pass(&mut self, network: &Bert, at: &Workspace, fill: &mut dyn FnMut(&mut [u32])) -> Result<()> {
        // Whatever a pass that failed has left behind.
        self.stream.synchronize().w()?;
        let length = at.input.elem_count();
        let Some(input) = self.input.as_mut_slice().w()?.get_mut(..length) else { bail!("the input does not fit") };
        fill(input);
        at.input.inplace_op1(&Sent(input))?;
        match self.recorded.get(&length) {
            Some(Some(graph)) => graph.0.launch().w(),
            Some(None) => network.forward(at),
            None => {
                network.forward(at)?;
                let recorded = self.record(network, at).unwrap_or_else(|error| {
                    tracing::warn!(%error, "a pass cannot be recorded as a graph; its kernels are launched one by one");
                    None
                });
                self.recorded.insert(length, recorded);
                Ok(())
            }
        }
    }

    fn fetch(&mut self, from: &Tensor) -> Result<&[f32]> {
        let length = from.elem_count();
        let (storage, layout) = from.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { bail!("the tensor is not on the card") };
        let values = storage.as_cuda_slice::<f32>()?.try_slice(range(layout)?).ok_or_else(outside)?;
        let Some(into) = self.output.as_mut_slice().w()?.get_mut(..length) else { bail!("the result does not fit") };
        self.stream.memcpy_dtoh(&values, into).w()?;
        self.wait()?;
        Ok(self.output.as_slice().w()?.get(..length).unwrap_or_default())
    }
}

/// Sends whole numbers from memory that the card reads by itself.
struct Sent<'a>(&'a [u32]);

impl InplaceOp1 for Sent<'_> {
    fn name(&self) -> &'static str {
        "hearken-sent"
    }

    fn cpu_fwd(&self, _storage: &mut CpuStorage, _layout: &Layout) -> Result<()> {
        bail!("the input is on a card")
    }

    fn cuda_fwd(&self, storage: &mut CudaStorage, layout: &Layout) -> Result<()> {
        let stream = storage.device.cuda_stream();
        let mut into = storage.as_cuda_slice_mut::<u32>()?.try_slice_mut(range(layout)?).ok_or_else(outside)?;
        stream.memcpy_htod(self.0, &mut into).w()
    }
}
