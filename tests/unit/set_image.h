/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_image.h - a dead kernel in which a rule fired, with the runtime's own BTF (runtime.bpf.o), so that names and
 * layouts are those of the real thing. For tests and fuzz targets of the readers.
 */
#ifndef TESTS_UNIT_SET_IMAGE_H
#define TESTS_UNIT_SET_IMAGE_H

#include "tests/unit/image.h"

#include <linux/bpf.h>
#include <linux/types.h>
#include <unistd.h>

#include "bpf/layout.h"

#include <bpf/btf.h>

/* Where the runtime is, from the folder of the program. */
#ifndef SET_IMAGE_RUNTIME
#define SET_IMAGE_RUNTIME "/../../runtime.bpf.o"
#endif

/* The runtime's types that are not in layout.h (bpf/runtime.h). */
struct list_head {
	__u64 next, prev;
};

struct node {
	__u64 opaque[3];
	struct df_event e;
	__u64 w[DF_WORDS];
};

struct state {
	__u32 lock, pad;
	struct df_match m;
	struct list_head ring, pinned;
	struct df_key key;
};

struct state_ring {
	__u32 lock, pad;
	struct df_match m;
	struct df_key key;
};

struct ring_node {
	struct df_event e;
	__u64 w[DF_WORDS];
};

static const char kernel_text[] =
	"vmcoreinfo OSRELEASE 6.12.0-test\n"
	"symbol map_idr 0xffff800000000000\n"
	"symbol nr_cpu_ids 0xffff800000000100\n"
	"symbol __cpu_possible_mask 0xffff800000000108\n"
	"symbol __per_cpu_offset 0xffff800000000110\n"
	"at 0xffff800000000100 q:2 q:3 q:0x0 q:0x100000\n"
	"member idr idr_rt.xa_head 8 8\n"
	"member xa_node slots 16 512\n"
	"member bpf_map id 0 4\nmember bpf_map map_type 4 4\nmember bpf_map key_size 8 4\n"
	"member bpf_map value_size 12 4\nmember bpf_map max_entries 16 4\nmember bpf_map btf_value_type_id 20 4\n"
	"member bpf_map btf 24 8\nmember bpf_map name 32 16\n"
	"member bpf_array elem_size 48 4\nmember bpf_array value 64 0\nmember bpf_array pptrs 64 0\n"
	"member bpf_htab buckets 48 8\nmember bpf_htab n_buckets 56 4\n"
	"member bucket - 0 16\nmember bucket raw_lock 8 4\n"
	"member htab_elem key 48 0\nmember htab_elem hash_node.next 0 8\n"
	"member btf data 0 8\nmember btf data_size 8 4\n"
	"symbol panic_cpu 0xffff800000000130\nat 0xffff800000000130 d:1\n"
	"symbol current_task 0xffffc00000080000\n"
	"at 0xffffc00000080000 q:0xffff800000000200\nat 0xffffc00000180000 q:0xffff800000000a00\n"
	"member task_struct pid 0 4\nmember task_struct tgid 4 4\nmember task_struct comm 8 16\n"
	"at 0xffff800000000200 d:0 d:0 \"swapper/0\" z:16\nat 0xffff800000000a00 d:109 d:109 \"second\" z:16\n"
	"symbol prb 0xffff800000000140\nat 0xffff800000000140 q:0xffff800000000400\n"
	"member printk_ringbuffer desc_ring.count_bits 0 4\nmember printk_ringbuffer desc_ring.descs 8 8\n"
	"member printk_ringbuffer desc_ring.infos 16 8\nmember printk_ringbuffer desc_ring.head_id.counter 24 8\n"
	"member printk_ringbuffer desc_ring.tail_id.counter 32 8\n"
	"member printk_ringbuffer text_data_ring.size_bits 40 4\nmember printk_ringbuffer text_data_ring.data 48 8\n"
	"member prb_desc - 0 24\nmember prb_desc state_var.counter 0 8\nmember prb_desc text_blk_lpos.begin 8 8\n"
	"member prb_desc text_blk_lpos.next 16 8\nmember printk_info - 0 16\nmember printk_info ts_nsec 0 8\n"
	"member printk_info text_len 8 2\nmember printk_info level 10 1\nmember printk_info facility 11 1\n"
	/* four descriptors: the last two messages are 4 (finished) and 5 (wraps around); 6 is not finished */
	"at 0xffff800000000400 q:2 q:0xffff800000000500 q:0xffff800000000600 q:6 q:4 q:6 q:0xffff800000000700\n"
	"at 0xffff800000000500 q:0x8000000000000004 q:0x10 q:0x20 q:0x4000000000000005 q:0x30 q:0x50\n"
	"at 0xffff800000000530 q:6 q:0 q:0 z:32\n"
	"at 0xffff800000000600 q:1000 w:6 b:3 z:5 q:2000 w:3 b:6 z:5\n"
	"at 0xffff800000000700 q:5 \"abc\" z:5 q:4 \"hello\" b:7 z:64\n"
	"code widget_free 0xffffffffc0000000 0x100 widget\n"
	"code do_syscall_64 0xffffffff81000000 0x100\n"
	"code bpf_trampoline_1 0xffffffffc1000000 0x100 bpf\n"
	/* registers that the CPUs saved: CPU 1 in do_syscall_64, CPU 0 in user mode */
	"symbol crash_notes 0xffff800000000800\nat 0xffff800000000800 q:0xffffc00000080100\n"
	"at 0xffffc00000080100 d:5 d:336 d:1 \"CORE\" z:4 z:112 z:128 q:0x401000 q:0x33 q:0 q:0x7ffc0000 q:0x2b z:56\n"
	"at 0xffffc00000180100 d:5 d:336 d:1 \"CORE\" z:4 z:112 z:128 q:0xffffffff81000010 q:0x10 q:0 "
	"q:0xffff800000002000 q:0 z:56\n"
	/* swapper/0 -> second -> stuck -> swapper/0; each alone in its thread group */
	"symbol init_task 0xffff800000000200\nmember task_struct __state 24 4\nmember task_struct signal 32 8\n"
	"member task_struct tasks 40 16\nmember task_struct thread_node 56 16\n"
	"member signal_struct thread_head 0 16\nmember task_struct thread.sp 72 8\n"
	"at 0xffff800000000220 q:0xffff800000000900 q:0xffff8000000002a8 q:0 q:0xffff800000000900 q:0 q:0\n"
	"at 0xffff800000000280 d:7 d:7 \"stuck\" z:11 d:2 d:0 q:0xffff800000000910 q:0xffff800000000228 q:0 "
	"q:0xffff800000000910 q:0 q:0xffff800000002100\n"
	"at 0xffff800000000900 q:0xffff800000000238 q:0 q:0xffff8000000002b8 q:0\n"
	"member inactive_task_frame bp 40 8\nmember inactive_task_frame ret_addr 48 8\n"
	"member inactive_task_frame - 0 56\n"
	"at 0xffff800000002100 z:48 q:0xffffffff81000020\n"
	/* second has /bin/app mapped: a leaf of the maple tree with one executable area */
	"member task_struct mm 80 8\nat 0xffff800000000a50 q:0xffff800000002200\n"
	"member mm_struct mm_mt.ma_root 0 8\nat 0xffff800000002200 q:0xffff80000000230e\n"
	"member maple_range_64 pivot 8 120\nmember maple_range_64 slot 128 128\n"
	"at 0xffff800000002300 z:8 q:0x400fff q:0x403fff q:0xffffffffffffffff z:96 q:0 q:0xffff800000002500 z:112\n"
	"member vm_area_struct vm_flags 0 8\nmember vm_area_struct vm_file 8 8\nmember vm_area_struct vm_start 16 8\n"
	"member vm_area_struct vm_end 24 8\nmember vm_area_struct vm_pgoff 32 8\n"
	"at 0xffff800000002500 q:4 q:0xffff800000002600 q:0x401000 q:0x404000 q:1\n"
	"member file f_path.dentry 0 8\nmember dentry d_parent 0 8\nmember dentry d_name.name 8 8\n"
	"member dentry d_name.len 16 4\nat 0xffff800000002600 q:0xffff800000002700\n"
	"at 0xffff800000002700 q:0xffff800000002720 q:0xffff800000002760 d:3 z:4\n"
	"at 0xffff800000002720 q:0xffff800000002740 q:0xffff800000002763 d:3 z:4\n"
	"at 0xffff800000002740 q:0xffff800000002740 q:0xffff800000002766 d:1 z:4\n"
	"at 0xffff800000002760 \"appbin/\"\n";

#define IDR 0xffff800000000000ull
#define XA_NODE 0xffff800000010000ull
#define MAPS 0xffff800000100000ull	/* one every 256 KB */
#define BTF_OBJ 0xffff800000020000ull
#define BTF_DATA 0xffff900000000000ull
#define ELEMS 0xffffa00000000000ull
#define NODES 0xffffb00000000000ull
#define PERCPU 0xffffc00000000000ull
#define KEY 0xffff888012345678ull

static const char manifest[] =
	"{\"deadfall\": 1, \"set\": \"widget\", \"key_parts\": 1, \"words\": 8, \"rules\": [{\"name\": \"twice\","
	"\"about\": \"freed twice\", \"source\": \"rule: twice\", \"table\": 0, \"last\": 4, \"pins\": 2,"
	"\"key\": [{\"type\": \"ptr\", \"text\": \"arg.w\"}], \"match\": {\"kind\": \"sequence\","
	"\"states\": [\"idle\", \"a seen\"], \"steps\": [{\"label\": \"a\", \"event\": 1},"
	"{\"label\": \"b\", \"event\": 1}]}, \"actions\": [{\"act\": \"panic\","
	"\"message\": \"{rule} {key.0:p}: first {a.task}, now {b.task} len {len}\"}]}],"
	"\"events\": [{\"name\": \"alloc\", \"rule\": 0, \"fields\": []}, {\"name\": \"free\", \"rule\": 0,"
	"\"fields\": [{\"name\": \"len\", \"type\": \"int\", \"size\": 4, \"word\": 0},"
	"{\"name\": \"owner\", \"type\": \"str\", \"size\": 16, \"word\": 1},"
	"{\"name\": \"lost\", \"type\": \"uint\", \"size\": 8, \"word\": 3},"
	"{\"name\": \"kind\", \"type\": \"enum\", \"size\": 4, \"word\": 4, \"values\": [[2, \"TWO\"]]},"
	"{\"name\": \"caller\", \"type\": \"ptr\", \"size\": 8, \"word\": 7}],"
	"\"mask\": 5, \"kstack\": {\"word\": 6, \"depth\": 2},"
	"\"ustack\": {\"word\": 8, \"depth\": 2}, \"lbr\": {\"word\": 17, \"depth\": 1}}],"
	"\"machines\": [{\"table\": 1, \"rule\": 0, \"last\": 4, \"pins\": 2, \"states\": [\"idle\", \"a seen\"]}]}";

/* The next map's number, and the index of the set. */
struct maker {
	struct image *im;
	unsigned int maps;
};

static inline uint64_t add_map(struct maker *m, const char *name, enum bpf_map_type type, size_t key, size_t value,
			uint32_t entries)
{
	uint64_t addr = MAPS + m->maps * 0x40000ull;

	image_put(m->im, addr, NULL, 64);
	image_put_number(m->im, addr, m->maps + 10, 4);
	image_put_number(m->im, addr + 4, type, 4);
	image_put_number(m->im, addr + 8, key, 4);
	image_put_number(m->im, addr + 12, value, 4);
	image_put_number(m->im, addr + 16, entries, 4);
	image_put_number(m->im, addr + 24, BTF_OBJ, 8);
	image_put(m->im, addr + 32, name, strlen(name));
	image_put_number(m->im, addr + 48, (value + 7) & ~7u, 4);
	image_put_number(m->im, XA_NODE + 16 + 8 * m->maps, addr, 8);
	m->maps++;
	return addr;
}

static inline uint64_t add_array(struct maker *m, const char *name, const void *value, size_t size, uint32_t entries)
{
	uint64_t addr = add_map(m, name, BPF_MAP_TYPE_ARRAY, 4, size, entries);

	image_put(m->im, addr + 64, NULL, ((size + 7) & ~7u) * (entries < 64 ? entries : 64));
	image_put(m->im, addr + 64, value, size);
	return addr;
}

static inline void add_types(struct maker *m)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	struct btf *btf;
	const void *data;
	uint32_t size;

	if (n <= 0)
		abort();
	path[n] = '\0';
	strcpy(strrchr(path, '/'), SET_IMAGE_RUNTIME);
	btf = btf__parse_elf(path, NULL);
	if (!btf)
		abort();
	data = btf__raw_data(btf, &size);
	image_put_number(m->im, BTF_OBJ, BTF_DATA, 8);
	image_put_number(m->im, BTF_OBJ + 8, size, 4);
	image_put(m->im, BTF_DATA, data, size);
	btf__free(btf);
}

static inline struct df_event event(uint64_t seq, uint32_t number, const char *comm)
{
	struct df_event e = { .seq = seq, .ns = seq * 1000, .ip = 0xffffffffc0000000, .pid = (uint32_t)seq + 100,
			      .tid = (uint32_t)seq + 100, .event = number, .gen = 1, .nwords = 21, .nframes = 2,
			      .stack_word = 6, .cpu = 1 };

	strcpy(e.comm, comm);
	return e;
}

static inline void fill_words(__u64 *w)
{
	w[0] = (__u64)-5;
	memcpy(&w[1], "slab-\x01\xff""owner", 12);
	w[3] = 77;
	w[4] = 2;
	w[5] = 1 << 2;	/* field 2 is unknown */
	w[6] = 0xffffffffc1000010;
	w[7] = 0xffffffff81000020;
	w[8] = 2;		/* user stack: build-id 00 01 02 ..., then an address */
	for (unsigned int i = 0; i < 20; i++)
		((uint8_t *)&w[9])[4 + i] = (uint8_t)i;
	((uint8_t *)&w[9])[0] = 1;
	w[12] = 0x1234;
	w[13] = 2;
	w[16] = 0x402010;
	w[17] = 1;		/* one branch */
	w[18] = 0xffffffffc0000020;
	w[19] = 0xffffffff81000020;
}

/* Node n of a list: linked to its neighbours, which are heads at the ends. */
static inline void add_node(struct maker *m, unsigned int n, uint64_t prev, uint64_t next, const struct df_event *e)
{
	struct node node = { .opaque = { next, prev, 0 }, .e = *e };

	fill_words(node.w);
	image_put(m->im, NODES + n * 0x1000, &node, sizeof(node));
}

static inline struct df_match match_state(void)
{
	return (struct df_match){ .first_ns = 1000, .last_ns = 9000, .gen = 1, .born = 1, .nring = 2, .npinned = 2,
				  .created_seq = 1, .state = 1, .count = -2, .deadline_ns = 8500, .pid = 102,
				  .tid = 102, .comm = "first" };
}

/* One live key in the only bucket, its state's bytes given. */
static inline void add_keys(struct maker *m, const char *name, const void *state, size_t size)
{
	struct df_key key = { .table = 1, .part = { KEY } };
	uint64_t map = add_map(m, name, BPF_MAP_TYPE_HASH, sizeof(key), size, 16);

	image_put_number(m->im, map + 48, ELEMS + 0x8000, 8);
	image_put_number(m->im, map + 56, 1, 4);
	image_put_number(m->im, ELEMS + 0x8000, ELEMS, 8);
	image_put_number(m->im, ELEMS + 0x8008, 0, 8);
	image_put(m->im, ELEMS, NULL, 48);
	image_put_number(m->im, ELEMS, 1, 8);	/* the end of the chain */
	image_put(m->im, ELEMS + 48, &key, sizeof(key));
	image_put(m->im, ELEMS + 48 + sizeof(key), state, size);
}

#define VALUE (ELEMS + 48 + sizeof(struct df_key))

/* alloc 1 (ring), free 2 (pinned), alloc 4 (ring), free 9 (pinned): lists of two. */
static inline void add_lists(struct maker *m)
{
	struct state s = { .m = match_state() };
	uint64_t ring = VALUE + offsetof(struct state, ring), pinned = VALUE + offsetof(struct state, pinned);
	struct df_event e[4] = { event(1, 0, "maker"), event(4, 0, "maker"), event(2, 1, "first"),
				 event(9, 1, "second") };

	e[2].flags = DF_STEP;
	e[3].flags = DF_STEP | DF_FIRED;
	s.ring = (struct list_head){ NODES, NODES + 0x1000 };
	s.pinned = (struct list_head){ NODES + 0x2000, NODES + 0x3000 };
	add_keys(m, "df_keys", &s, sizeof(s));
	add_node(m, 0, ring, NODES + 0x1000, &e[0]);
	add_node(m, 1, NODES, ring, &e[1]);
	add_node(m, 2, pinned, NODES + 0x3000, &e[2]);
	add_node(m, 3, NODES + 0x2000, pinned, &e[3]);
}

/* The same in array rings, with a node of the slot's previous key and one that is being written. */
static inline void add_rings(struct maker *m)
{
	struct state_ring s = { .m = match_state() };
	struct ring_node nodes[12] = { 0 };
	struct df_event e[] = { event(4, 0, "maker"), event(0, 0, "torn"), event(1, 0, "maker"),
				event(2, 1, "first"), event(9, 1, "second") };
	uint64_t map;

	s.m.first_node = 6;
	s.m.created_seq = 1;
	nodes[6].e = e[0];
	nodes[7].e = e[1];
	nodes[8].e = e[2];
	nodes[10].e = e[3];
	nodes[11].e = e[4];
	for (int i = 6; i < 12; i++)
		fill_words(nodes[i].w);
	add_keys(m, "df_keys_ring", &s, sizeof(s));
	map = add_array(m, "df_ring", nodes, sizeof(*nodes), 12);
	image_put(m->im, map + 64, nodes, sizeof(nodes));
}

/* A kernel with one set whose rule fired. */
static inline struct image *set_image(bool lists)
{
	struct maker m = { .im = image_create(kernel_text) };
	struct df_ctl ctl = { .version = DF_VERSION, .armed = DF_ACT_PANIC, .frozen = 1, .fires = 20, .seq = 9,
			      .wall_offset_ns = 1700000000000000000, .fired = 1, .marks = 1, .braked = 250,
			      .missed = 7, .notes_lost = 5 };
	struct df_reach reach[2] = { { .entered = 0 }, { .entered = 3, .late = 2, .refused = 1 } };
	struct df_mark mark = { .ns = 3000, .seq = 2, .text = "half way" };
	struct df_fire fire = { .valid = 1, .event = 1, .act = DF_ACT_PANIC, .ns = 9000, .seq = 9, .pid = 109,
				.tid = 109, .cpu = 1, .gen = 1, .nsteps = DF_STEPS, .step = { 2, 9 },
				.comm = "second", .key = { .table = 1, .part = { KEY } } };
	struct df_fire late = { .valid = 1, .event = 0, .act = DF_ACT_LOG, .ns = 8000, .seq = 8, .nsteps = DF_STEPS,
				.comm = "late", .key = { .table = 1, .part = { KEY } } };
	struct df_rule rule = { .act = DF_ACT_LOG };
	struct df_stats stats = { .seen = 5, .hit = 3, .recorded = 3 };
	uint32_t index[DF_INDEX_SIZE] = { DF_INDEX_MAGIC };
	uint64_t map;

	image_put(m.im, IDR, NULL, 32);
	image_put_number(m.im, IDR + 8, XA_NODE | 2, 8);
	image_put(m.im, XA_NODE, NULL, 16 + 512);
	add_types(&m);
	add_array(&m, ".rodata.df_mani", manifest, sizeof(manifest), 1);
	add_array(&m, ".data.df_ctl", &ctl, sizeof(ctl), 1);
	add_array(&m, "df_marks", &mark, sizeof(mark), DF_MARKS);
	map = add_array(&m, "df_reach", reach, sizeof(*reach), 2);
	image_put(m.im, map + 64, reach, sizeof(reach));
	map = add_array(&m, "df_fires", &fire, sizeof(fire), DF_FIRES + 1);
	image_put(m.im, map + 64 + DF_FIRES * sizeof(late), &late, sizeof(late));
	add_array(&m, "df_rules", &rule, sizeof(rule), 1);
	if (lists)
		add_lists(&m);
	else
		add_rings(&m);
	map = add_map(&m, "df_stats", BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(stats), 2);
	for (unsigned int event_no = 0; event_no < 2; event_no++) {
		image_put_number(m.im, map + 64 + 8 * event_no, PERCPU + 0x1000 * event_no, 8);
		stats.evicted = event_no;
		for (unsigned int cpu = 0; cpu < 2; cpu++)
			image_put(m.im, PERCPU + 0x1000 * event_no + cpu * 0x100000, &stats, sizeof(stats));
	}
	index[1] = m.maps;
	for (uint32_t i = 0; i < m.maps; i++)
		index[2 + i] = i + 10;
	map = add_array(&m, "df_index", index, 4, DF_INDEX_SIZE);
	for (uint32_t i = 0; i < DF_INDEX_SIZE; i++)
		image_put_number(m.im, map + 64 + 8 * i, index[i], 4);
	return m.im;
}

#endif
