// A stand-in for Apple's Hypervisor.framework on arm64 Linux: the hv_* calls that carrick makes, with the framework's ABI, on KVM. It is stricter than
// the framework where that is what callers must not rely on: registers begin poisoned, a vCPU belongs to its thread, everything is in units of 16 KiB,
// there is one machine, runs end for no reason.
//
// Environment: HVKVM_IPA (width of a physical address, 36), HVKVM_COUNT (file that keeps counts of calls, see `counted`), HVKVM_RECORD (file that is told what
// CPUs are set to before they run, see `recorded`), HVKVM_FAIL (name:n or name:n:code, the nth
// call of hv_name fails, with that error), HVKVM_CANCEL (microseconds: about so often a run ends as canceled or unknown), HVKVM_WXN (what can be written is never
// executed), HVKVM_DIRECT (a BRK of a program ends the run, as an exception that the hypervisor takes for itself), HVKVM_FLIP (kind:number:bit, one bit of what the caller sets is changed: sys, a system register; reg, a register; code, a word of the page
// that VBAR_EL1 names; table, an entry of the root that TTBR1_EL1 names; way, the first entry of the table of that level behind the root's last; word:old:new puts a word in the place of another
// wherever it stands in that page, and ends the process with 99 where it does not; put:number:word puts a word there), HVKVM_NO_WX (mappings may not be both), HVKVM_NO_HOST_MMU (a CPU whose MMU the host turned on does not come up).

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))

typedef int32_t hv_return_t;
enum { HV_SUCCESS = 0, HV_ERROR = 0xfae94001, HV_BUSY = 0xfae94002, HV_BAD_ARGUMENT = 0xfae94003, HV_NO_RESOURCES = 0xfae94005,
       HV_NO_DEVICE = 0xfae94006, HV_DENIED = 0xfae94007, HV_UNSUPPORTED = 0xfae9400f };
enum { EXIT_CANCELED, EXIT_EXCEPTION, EXIT_VTIMER, EXIT_UNKNOWN };
enum { MEMORY_WRITE = 2, MEMORY_EXEC = 4 };

typedef struct {
  uint32_t reason;
  uint64_t syndrome, virtual_address, physical_address;
} hv_vcpu_exit_t;

#define GRANULE 16384u
#define MAX_CPUS 256
#define MAX_SLOTS 4096
#define KICK (SIGRTMIN + 6)

typedef struct {
  int fd;
  struct kvm_run *run;
  pid_t owner;
  bool used, masked, host_mmu, wxn_set, was_fired, has_run, is_watched;
  _Atomic int canceled;
  uint64_t hvc_pc;
  uint16_t hvc_imm;
  hv_vcpu_exit_t exit;
} Cpu;

typedef struct { uint64_t ipa, size; char *host; uint64_t flags; } Slot;

static int kvm = -1, vm = -1;
static Cpu cpus[MAX_CPUS];
static int cpu_count, run_bytes;
static Slot slots[MAX_SLOTS];
static int slot_count;
static uint32_t ipa_bits = 36;
static uint32_t rng = 12345;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Counts of calls, in this order, as 64-bit numbers in the file that HVKVM_COUNT names.
#define CALLS(X) X(vm_create) X(vm_destroy) X(vm_map) X(vm_unmap) X(vcpu_create) X(vcpu_destroy) X(vcpu_run) X(vcpu_get_reg) X(vcpu_set_reg) \
  X(vcpu_get_sys_reg) X(vcpu_set_sys_reg) X(vcpus_exit) X(vcpu_set_vtimer_mask) X(hvc) X(canceled) X(vtimer) X(unknown)
enum {
#define X(name) CALL_##name,
  CALLS(X)
#undef X
  CALL_MAX
};
static const char *const call_names[] = {
#define X(name) #name,
    CALLS(X)
#undef X
};
static uint64_t private_counts[CALL_MAX], *counts = private_counts;
static int record_fd = -1;
static int fail_call = -1;
static uint64_t fail_at;
static unsigned fail_code = 1;
static char flip_kind[8];
static unsigned flip_number, flip_bit;

static void configure(void) {
  static bool done;
  if (done) return;
  done = true;
  const char *v = getenv("HVKVM_COUNT");
  if (v) {
    int fd = open(v, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0 && ftruncate(fd, sizeof private_counts) == 0) {
      void *p = mmap(0, sizeof private_counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      if (p != MAP_FAILED) counts = p;
    }
  }
  if ((v = getenv("HVKVM_RECORD"))) record_fd = open(v, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if ((v = getenv("HVKVM_IPA"))) ipa_bits = atoi(v);
  if ((v = getenv("HVKVM_FLIP"))) sscanf(v, "%7[a-z]:%u:%u", flip_kind, &flip_number, &flip_bit);
  if ((v = getenv("HVKVM_FAIL"))) {
    const char *colon = strchr(v, ':');
    for (int i = 0; colon && i < CALL_MAX; i++)
      if (strlen(call_names[i]) == (size_t)(colon - v) && !strncmp(call_names[i], v, colon - v)) fail_call = i, sscanf(colon + 1, "%lu:%u", &fail_at, &fail_code);
  }
}

// Counts a call; whether it is the one that has to fail.
static bool counted(int call) {
  configure();
  uint64_t n = __atomic_add_fetch(&counts[call], 1, __ATOMIC_RELAXED);
  return call == fail_call && n == fail_at;
}
#define COUNT(name) do { if (counted(CALL_##name)) return (hv_return_t)(0xfae94000u | fail_code); } while (0)

// One line for each register that is set before a CPU's first run, as the CPU gets it, and for each entry of the tables behind TTBR1_EL1 then.
static void recorded(const char *kind, unsigned number, uint64_t value) {
  if (record_fd >= 0) dprintf(record_fd, "%s %x %lx\n", kind, number, value);
}

static bool set(const char *name) {
  const char *v = getenv(name);
  return v && *v && *v != '0';
}

// The machine.

typedef struct { uint32_t ipa; } Config;

API void *hv_vm_config_create(void) {
  Config *c = calloc(1, sizeof *c);
  configure();
  c->ipa = 36;
  return c;
}
API hv_return_t hv_vm_config_get_max_ipa_size(uint32_t *bits) { configure(); *bits = ipa_bits; return HV_SUCCESS; }
API hv_return_t hv_vm_config_get_default_ipa_size(uint32_t *bits) { *bits = 36; return HV_SUCCESS; }
API hv_return_t hv_vm_config_set_ipa_size(void *config, uint32_t bits) {
  if (bits > ipa_bits || bits < 32) return HV_UNSUPPORTED;
  ((Config *)config)->ipa = bits;
  return HV_SUCCESS;
}
API hv_return_t hv_vm_get_max_vcpu_count(uint32_t *n) { *n = 64; return HV_SUCCESS; }

static void on_kick(int sig) { (void)sig; }

static hv_return_t filter_hypercalls(void) {
  // All but the ranges that KVM keeps for itself: what is called there never comes here, and x0 is overwritten.
  static const uint32_t ranges[][2] = {{0, 0x80000000}, {0x80010000, 0x3fff0000}, {0xc0010000, 0x3fff0000}};
  for (int i = 0; i < 3; i++) {
    struct kvm_smccc_filter filter = {.base = ranges[i][0], .nr_functions = ranges[i][1], .action = KVM_SMCCC_FILTER_FWD_TO_USER};
    struct kvm_device_attr attr = {.group = KVM_ARM_VM_SMCCC_CTRL, .attr = KVM_ARM_VM_SMCCC_FILTER, .addr = (uintptr_t)&filter};
    if (ioctl(vm, KVM_SET_DEVICE_ATTR, &attr)) return HV_UNSUPPORTED;
  }
  return HV_SUCCESS;
}

API hv_return_t hv_vm_create(void *config) {
  COUNT(vm_create);
  if (vm >= 0) return HV_BUSY;
  kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (kvm < 0) return errno == EACCES || errno == EPERM ? HV_DENIED : HV_NO_DEVICE;
  uint32_t bits = config ? ((Config *)config)->ipa : 36;
  vm = ioctl(kvm, KVM_CREATE_VM, (unsigned long)bits);
  if (vm < 0) return HV_NO_RESOURCES;
  ipa_bits = bits;
  run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_NISV_TO_USER};
  ioctl(vm, KVM_ENABLE_CAP, &cap);
  // The guest's counter is the host's, as the framework's is mach_absolute_time().
  struct kvm_arm_counter_offset offset = {0};
  if (ioctl(vm, KVM_ARM_SET_COUNTER_OFFSET, &offset)) return HV_UNSUPPORTED;
  struct sigaction action = {.sa_handler = on_kick};
  sigaction(KICK, &action, NULL);
  return filter_hypercalls();
}

API hv_return_t hv_vm_destroy(void) {
  COUNT(vm_destroy);
  if (vm < 0) return HV_NO_DEVICE;
  for (int i = 0; i < cpu_count; i++)
    if (cpus[i].used) return HV_BUSY;
  for (int i = 0; i < cpu_count; i++) munmap(cpus[i].run, run_bytes), close(cpus[i].fd);
  close(vm), close(kvm);
  vm = -1, cpu_count = 0, slot_count = 0;
  return HV_SUCCESS;
}

static int set_slot(int i, bool present) {
  struct kvm_userspace_memory_region region = {.slot = i, .guest_phys_addr = slots[i].ipa, .userspace_addr = (uintptr_t)slots[i].host,
      .memory_size = present ? slots[i].size : 0, .flags = slots[i].flags & MEMORY_WRITE ? 0 : KVM_MEM_READONLY};
  return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

API hv_return_t hv_vm_map(void *addr, uint64_t ipa, size_t size, uint64_t flags) {
  COUNT(vm_map);
  if (vm < 0) return HV_NO_DEVICE;
  if (((uintptr_t)addr | ipa | size) % GRANULE || size == 0 || ipa + size > 1ull << ipa_bits || flags > 7) return HV_BAD_ARGUMENT;
  if (set("HVKVM_NO_WX") && flags & MEMORY_WRITE && flags & MEMORY_EXEC) return HV_DENIED;
  pthread_mutex_lock(&lock);
  hv_return_t rc = HV_SUCCESS;
  for (int i = 0; i < slot_count; i++)
    if (slots[i].size && ipa < slots[i].ipa + slots[i].size && slots[i].ipa < ipa + size) rc = HV_BAD_ARGUMENT;
  if (slot_count == MAX_SLOTS) rc = HV_NO_RESOURCES;
  if (rc == HV_SUCCESS) {
    slots[slot_count] = (Slot){ipa, size, addr, flags};
    if (set_slot(slot_count, true)) rc = HV_ERROR;
    else slot_count++;
  }
  pthread_mutex_unlock(&lock);
  return rc;
}

// Stops.

static uint64_t stop_va;
static uint32_t *stop_word;
static unsigned stop_count;

// Ends the first run that comes to this address as hvkvm's callers end one from outside: sets the word, and the run is canceled before the instruction. 0:
// no more. How many there were.
API unsigned hvkvm_stop_at(uint64_t va, uint32_t *word) {
  stop_va = va, stop_word = word;
  return stop_count;
}

static void watch(Cpu *c) {
  bool direct = set("HVKVM_DIRECT");
  if (!direct && !stop_va && !c->is_watched) return;
  struct kvm_guest_debug debug = {.control = 0};
  if (direct) debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
  if (stop_va) {
    debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW;
    // BAS: the whole word; PMC: EL1 and EL0; E.
    debug.arch.dbg_bcr[0] = 0xf << 5 | 3 << 1 | 1, debug.arch.dbg_bvr[0] = stop_va;
  }
  c->is_watched = stop_va != 0;
  ioctl(c->fd, KVM_SET_GUEST_DEBUG, &debug);
}

// Only of what was mapped in one call.
API hv_return_t hv_vm_unmap(uint64_t ipa, size_t size) {
  COUNT(vm_unmap);
  for (int i = 0; i < slot_count; i++) {
    if (slots[i].ipa != ipa || slots[i].size != size) continue;
    set_slot(i, false);
    slots[i].size = 0;
    return HV_SUCCESS;
  }
  return HV_BAD_ARGUMENT;
}

// Registers.

#define CORE(field) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offsetof(struct kvm_regs, field) / 4))
#define SYS(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
enum { SCTLR = SYS(3, 0, 1, 0, 0), TTBR0 = SYS(3, 0, 2, 0, 0), TTBR1 = SYS(3, 0, 2, 0, 1), TCR = SYS(3, 0, 2, 0, 2), SPSR = SYS(3, 0, 4, 0, 0),
       ELR = SYS(3, 0, 4, 0, 1), SP_EL0 = SYS(3, 0, 4, 1, 0), SP_EL1 = SYS(3, 4, 4, 1, 0), CNTV_CTL = SYS(3, 3, 14, 3, 1), CNTV_CVAL = SYS(3, 3, 14, 3, 2) };
// hv_sys_reg_t that the double knows: those that the framework lets a caller have.
static const uint16_t allowed[] = {SCTLR, TTBR0, TTBR1, TCR, SPSR, ELR, SP_EL0, SP_EL1, CNTV_CTL, CNTV_CVAL, SYS(3, 0, 0, 0, 0), SYS(3, 0, 0, 0, 5),
    SYS(3, 0, 0, 4, 0), SYS(3, 0, 0, 6, 0), SYS(3, 0, 0, 6, 1), SYS(3, 0, 0, 7, 0), SYS(3, 0, 0, 7, 2), SYS(3, 0, 1, 0, 2), SYS(3, 0, 5, 2, 0), SYS(3, 0, 6, 0, 0),
    SYS(3, 0, 10, 2, 0), SYS(3, 0, 12, 0, 0), SYS(3, 0, 13, 0, 4), SYS(3, 0, 14, 1, 0), SYS(3, 3, 13, 0, 2), SYS(3, 3, 13, 0, 3)};

static uint64_t sys_id(uint16_t reg) {
  switch (reg) {
    case SPSR: return CORE(spsr[0]);
    case ELR: return CORE(elr_el1);
    case SP_EL0: return CORE(regs.sp);
    case SP_EL1: return CORE(sp_el1);
    case CNTV_CTL: return KVM_REG_ARM_TIMER_CTL;
    case CNTV_CVAL: return KVM_REG_ARM_TIMER_CVAL;
    default: return KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG | reg;
  }
}

static int get_one(Cpu *c, uint64_t id, uint64_t *value) {
  struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};
  return ioctl(c->fd, KVM_GET_ONE_REG, &reg);
}
static int set_one(Cpu *c, uint64_t id, uint64_t value) {
  struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};
  return ioctl(c->fd, KVM_SET_ONE_REG, &reg);
}

// The value that is set in the place of the one asked for.
static uint64_t flipped(const char *kind, unsigned number, uint64_t value) {
  return strcmp(flip_kind, kind) == 0 && flip_number == number ? value ^ 1ull << flip_bit : value;
}

static Cpu *mine(uint64_t vcpu) {
  if (vcpu >= (uint64_t)cpu_count || !cpus[vcpu].used || cpus[vcpu].owner != gettid()) return NULL;
  return &cpus[vcpu];
}

static uint64_t reg_id(uint32_t reg) {
  if (reg < 31) return CORE(regs.regs[0]) + reg * 2;
  if (reg == 31) return CORE(regs.pc);
  return reg == 34 ? CORE(regs.pstate) : 0;
}

API hv_return_t hv_vcpu_get_reg(uint64_t vcpu, uint32_t reg, uint64_t *value) {
  COUNT(vcpu_get_reg);
  Cpu *c = mine(vcpu);
  if (!c || !reg_id(reg)) return HV_BAD_ARGUMENT;
  return get_one(c, reg_id(reg), value) ? HV_ERROR : HV_SUCCESS;
}
API hv_return_t hv_vcpu_set_reg(uint64_t vcpu, uint32_t reg, uint64_t value) {
  COUNT(vcpu_set_reg);
  Cpu *c = mine(vcpu);
  if (!c || !reg_id(reg)) return HV_BAD_ARGUMENT;
  value = flipped("reg", reg, value);
  if (!c->has_run) recorded("reg", reg, value);
  return set_one(c, reg_id(reg), value) ? HV_ERROR : HV_SUCCESS;
}

static bool is_allowed(uint16_t reg) {
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
    if (allowed[i] == reg) return true;
  return false;
}
API hv_return_t hv_vcpu_get_sys_reg(uint64_t vcpu, uint16_t reg, uint64_t *value) {
  COUNT(vcpu_get_sys_reg);
  Cpu *c = mine(vcpu);
  if (!c || !is_allowed(reg)) return HV_BAD_ARGUMENT;
  return get_one(c, sys_id(reg), value) ? HV_ERROR : HV_SUCCESS;
}
API hv_return_t hv_vcpu_set_sys_reg(uint64_t vcpu, uint16_t reg, uint64_t value) {
  COUNT(vcpu_set_sys_reg);
  Cpu *c = mine(vcpu);
  if (!c || !is_allowed(reg)) return HV_BAD_ARGUMENT;
  if (reg == SCTLR && value & 1) c->host_mmu = true;
  value = flipped("sys", reg, value);
  if (!c->has_run) recorded("sys", reg, value);
  return set_one(c, sys_id(reg), value) ? HV_ERROR : HV_SUCCESS;
}

// CPUs.

// What a caller does not set must not be zero by luck. A CPU begins at EL0 unless told otherwise.
static void poison(Cpu *c) {
  static const uint16_t regs[] = {TTBR0, TTBR1, SYS(3, 0, 10, 2, 0), SYS(3, 0, 12, 0, 0), SYS(3, 0, 13, 0, 4), SYS(3, 3, 13, 0, 2), SYS(3, 3, 13, 0, 3), SPSR, ELR, SP_EL0, SP_EL1};
  for (size_t i = 0; i < sizeof regs / sizeof *regs; i++) set_one(c, sys_id(regs[i]), 0x0000dead0000b000);
  for (int i = 0; i < 31; i++) set_one(c, reg_id(i), 0xdead0000c0000000 + i);
  set_one(c, sys_id(SCTLR), 0);
  set_one(c, CORE(regs.pc), 0xdead0000);
  set_one(c, CORE(regs.pstate), 0x3c0);
}

static Cpu *new_cpu(void) {
  for (int i = 0; i < cpu_count; i++)
    if (!cpus[i].used) return &cpus[i]; // KVM cannot end one: it is used again.
  if (cpu_count == MAX_CPUS) return NULL;
  Cpu *c = &cpus[cpu_count];
  c->fd = ioctl(vm, KVM_CREATE_VCPU, (unsigned long)cpu_count);
  if (c->fd < 0) return NULL;
  c->run = mmap(0, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
  if (c->run == MAP_FAILED) return NULL;
  cpu_count++;
  return c;
}

API hv_return_t hv_vcpu_create(uint64_t *vcpu, hv_vcpu_exit_t **exit, void *config) {
  COUNT(vcpu_create);
  (void)config;
  if (vm < 0) return HV_NO_DEVICE;
  pthread_mutex_lock(&lock);
  hv_return_t rc = HV_NO_RESOURCES;
  for (int i = 0; i < cpu_count; i++)
    if (cpus[i].used && cpus[i].owner == gettid()) {
      pthread_mutex_unlock(&lock);
      return HV_BUSY;
    }
  Cpu *c = new_cpu();
  struct kvm_vcpu_init init = {0};
  if (c && ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) == 0) {
    init.features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
    if (ioctl(c->fd, KVM_ARM_VCPU_INIT, &init) == 0) {
      c->used = true, c->owner = gettid(), c->masked = true, c->host_mmu = false, c->wxn_set = c->was_fired = c->has_run = c->is_watched = false;
      c->canceled = 0, c->run->immediate_exit = 0, c->hvc_pc = 0;
      poison(c);
      // An exit that is asked for does not depend on what the thread blocks.
      sigset_t kick;
      sigemptyset(&kick), sigaddset(&kick, KICK);
      pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
      *vcpu = c - cpus, *exit = &c->exit;
      rc = HV_SUCCESS;
    }
  }
  pthread_mutex_unlock(&lock);
  return rc;
}

API hv_return_t hv_vcpu_destroy(uint64_t vcpu) {
  COUNT(vcpu_destroy);
  Cpu *c = mine(vcpu);
  if (!c) return HV_BAD_ARGUMENT;
  c->used = false;
  return HV_SUCCESS;
}

API hv_return_t hv_vcpu_set_vtimer_mask(uint64_t vcpu, bool masked) {
  COUNT(vcpu_set_vtimer_mask);
  Cpu *c = mine(vcpu);
  if (!c) return HV_BAD_ARGUMENT;
  c->masked = masked;
  return HV_SUCCESS;
}

static void cancel(Cpu *c, int how) {
  c->canceled = how;
  c->run->immediate_exit = 1;
  syscall(SYS_tgkill, getpid(), c->owner, KICK);
}

API hv_return_t hv_vcpus_exit(const uint64_t *vcpus, uint32_t n) {
  COUNT(vcpus_exit);
  for (uint32_t i = 0; i < n; i++) {
    if (vcpus[i] >= (uint64_t)cpu_count || !cpus[vcpus[i]].used) return HV_BAD_ARGUMENT;
    cancel(&cpus[vcpus[i]], 1);
  }
  return HV_SUCCESS;
}

// Running.

static void *canceler(void *arg) {
  unsigned us = (unsigned)(uintptr_t)arg;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  for (;;) {
    rng = rng * 1664525 + 1013904223;
    usleep(us / 2 + (rng >> 8) % us);
    for (int i = 0; i < cpu_count; i++)
      if (cpus[i].used && !cpus[i].canceled) cancel(&cpus[i], rng >> 31 ? 1 : 2);
  }
  return NULL;
}

static void start_canceler(void) {
  static bool done;
  const char *v = getenv("HVKVM_CANCEL");
  if (done) return;
  done = true;
  pthread_t t;
  if (v && atoi(v) > 0) pthread_create(&t, NULL, canceler, (void *)(uintptr_t)atoi(v));
}

static void *host_of(uint64_t ipa) {
  for (int i = 0; i < slot_count; i++)
    if (ipa >= slots[i].ipa && ipa - slots[i].ipa < slots[i].size) return slots[i].host + (ipa - slots[i].ipa);
  return NULL;
}

// What a virtual address leads to, by the tables of EL1 (4 KiB granule). One of the upper half is never a physical one.
static void *walked(Cpu *c, uint64_t va) {
  uint64_t sctlr = 0, tcr = 0, table = 0;
  get_one(c, sys_id(SCTLR), &sctlr);
  if (sctlr & 1 || va >> 63) {
    get_one(c, sys_id(TCR), &tcr);
    bool upper = va >> 63;
    get_one(c, sys_id(upper ? TTBR1 : TTBR0), &table);
    table &= 0xfffffffff000;
    int bits = 64 - (int)((upper ? tcr >> 16 : tcr) & 63);
    for (int level = bits > 39 ? 0 : bits > 30 ? 1 : 2;; level++) {
      int shift = 39 - 9 * level;
      int width = bits - shift < 9 ? bits - shift : 9;
      uint64_t *entry = host_of(table + ((va >> shift) & ((1u << width) - 1)) * 8);
      if (!entry || !(*entry & 1)) return NULL;
      table = *entry & 0xfffffffff000;
      if (level == 3 || !(*entry & 2)) {
        va = (table & ~((1ull << shift) - 1)) | (va & ((1ull << shift) - 1));
        break;
      }
    }
  }
  return host_of(va);
}

static hv_return_t exception(Cpu *c, uint64_t syndrome, uint64_t va, uint64_t pa) {
  c->exit = (hv_vcpu_exit_t){EXIT_EXCEPTION, syndrome, va, pa};
  return HV_SUCCESS;
}

static hv_return_t hypercall(Cpu *c) {
  uint64_t pc = 0;
  counted(CALL_hvc);
  if (get_one(c, CORE(regs.pc), &pc)) return HV_ERROR;
  if (pc != c->hvc_pc) {
    const uint32_t *insn = walked(c, pc - 4);
    if (!insn || (*insn & 0xffe0001f) != 0xd4000002) return HV_ERROR;
    c->hvc_pc = pc, c->hvc_imm = *insn >> 5;
  }
  return exception(c, 0x16ull << 26 | 1 << 25 | c->hvc_imm, 0, 0);
}

static hv_return_t ended(Cpu *c, uint32_t reason, int call) {
  counted(call);
  c->exit = (hv_vcpu_exit_t){.reason = reason};
  return HV_SUCCESS;
}

// Whether a run that a signal ended is reported, and how.
static bool interrupted(Cpu *c) {
  int how = atomic_exchange(&c->canceled, 0);
  if (how) {
    c->run->immediate_exit = 0;
    ended(c, how == 1 ? EXIT_CANCELED : EXIT_UNKNOWN, how == 1 ? CALL_canceled : CALL_unknown);
    return true;
  }
  bool fired = c->run->s.regs.device_irq_level & KVM_ARM_DEV_EL1_VTIMER;
  // KVM also ends a run to tell that the timer's line is down again.
  bool fell = c->was_fired && !fired;
  c->was_fired = fired;
  if (fell) return false;
  if (fired && !c->masked) {
    c->masked = true;
    ended(c, EXIT_VTIMER, CALL_vtimer);
    return true;
  }
  if (fired) return false;
  ended(c, EXIT_UNKNOWN, CALL_unknown); // A host signal to this thread.
  return true;
}

static hv_return_t debugged(Cpu *c) {
  uint64_t syndrome = c->run->debug.arch.hsr;
  if (syndrome >> 26 == 0x3c) return exception(c, syndrome, 0, 0);
  stop_count++, stop_va = 0;
  watch(c);
  __atomic_store_n(stop_word, 1, __ATOMIC_SEQ_CST);
  return ended(c, EXIT_CANCELED, CALL_canceled);
}

static void replace_word(uint32_t *page, uint32_t old, uint32_t other) {
  int replaced = 0;
  for (int i = 0; i < 1024; i++)
    if (page[i] == old) page[i] = other, replaced++;
  if (replaced) return;
  fprintf(stderr, "the page of vectors has no word 0x%x\n", old);
  _exit(99);
}

// Changes a word of the page of vectors, or an entry of the tables behind TTBR1_EL1, before the first run.
static void flip_memory(Cpu *c) {
  static bool done;
  bool word = strcmp(flip_kind, "word") == 0, put = strcmp(flip_kind, "put") == 0, way = strcmp(flip_kind, "way") == 0;
  bool code = word || put || strcmp(flip_kind, "code") == 0;
  if (done || (!code && !way && strcmp(flip_kind, "table"))) return;
  done = true;
  uint64_t at = 0;
  get_one(c, sys_id(code ? SYS(3, 0, 12, 0, 0) : TTBR1), &at);
  char *page = code ? walked(c, at) : host_of(at);
  for (unsigned level = 2; way && page && level <= flip_number; level++)
    page = host_of(((uint64_t *)page)[level == 2 ? 511 : 0] & 0xfffffffff000);
  if (!page) return;
  if (way) *(uint64_t *)page ^= 1ull << flip_bit;
  else if (word) replace_word((uint32_t *)page, flip_number, flip_bit);
  else if (put) ((uint32_t *)page)[flip_number] = flip_bit;
  else if (code) ((uint32_t *)page)[flip_number] ^= 1u << flip_bit;
  else ((uint64_t *)page)[flip_number] ^= 1ull << flip_bit;
  __builtin___clear_cache(page, page + 4096);
}

// The first run of a CPU: what it begins with is known.
static void record_tables(Cpu *c) {
  if (c->has_run) return;
  c->has_run = true;
  uint64_t root = 0;
  get_one(c, sys_id(TTBR1), &root);
  const uint64_t *table = record_fd >= 0 ? host_of(root) : NULL;
  for (unsigned i = 0; table && i < 512; i++)
    if (table[i]) recorded("table", i, table[i]);
  // The way to the page of code.
  for (unsigned level = 2; table && level <= 3; level++)
    if ((table = host_of(table[level == 2 ? 511 : 0] & 0xfffffffff000))) recorded("code", level, table[0]);
  recorded("run", c - cpus, 0);
}

static void force_wxn(Cpu *c) {
  uint64_t sctlr = 0;
  if (c->wxn_set || !set("HVKVM_WXN")) return;
  get_one(c, sys_id(SCTLR), &sctlr);
  if (!(sctlr & 1)) return;
  set_one(c, sys_id(SCTLR), sctlr | 1 << 19);
  c->wxn_set = true;
}

API hv_return_t hv_vcpu_run(uint64_t vcpu) {
  COUNT(vcpu_run);
  Cpu *c = mine(vcpu);
  if (!c) return HV_BAD_ARGUMENT;
  start_canceler();
  flip_memory(c);
  record_tables(c);
  force_wxn(c);
  watch(c);
  if (c->host_mmu && set("HVKVM_NO_HOST_MMU")) return exception(c, 0x21ull << 26 | 1 << 25 | 0xf, 0, 0);
  if (!c->masked && c->run->s.regs.device_irq_level & KVM_ARM_DEV_EL1_VTIMER) {
    uint64_t ctl = 0;
    get_one(c, KVM_REG_ARM_TIMER_CTL, &ctl);
    if (ctl & 1) {
      c->masked = true;
      return ended(c, EXIT_VTIMER, CALL_vtimer);
    }
  }
  for (;;) {
    int rc = ioctl(c->fd, KVM_RUN, 0);
    if (rc < 0 && errno != EINTR) return HV_ERROR;
    if (rc < 0) {
      if (interrupted(c)) return HV_SUCCESS;
      continue;
    }
    switch (c->run->exit_reason) {
      case KVM_EXIT_HYPERCALL: return hypercall(c);
      case KVM_EXIT_MMIO: return exception(c, 0x24ull << 26 | 1 << 25 | (c->run->mmio.is_write ? 0x47 : 7), 0, c->run->mmio.phys_addr);
      case KVM_EXIT_DEBUG: return debugged(c);
      case KVM_EXIT_ARM_NISV: return exception(c, 0x24ull << 26 | c->run->arm_nisv.esr_iss, 0, c->run->arm_nisv.fault_ipa);
      case KVM_EXIT_INTR:
        if (interrupted(c)) return HV_SUCCESS;
        break;
      default: return ended(c, EXIT_UNKNOWN, CALL_unknown);
    }
  }
}
