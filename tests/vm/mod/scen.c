// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scen - bugs to catch, one for each rule of rules/catalog/scen-*.yaml, planted in small drivers of its own.
 *
 * `echo "WHAT HOW [N]" >/proc/scen` runs one; HOW is `bug`, or `ok`: the same path without the bug, or a variant
 * that looks like the bug and is none:
 *
 *	session bug|ok N	N sessions with a timer each, one after the other; one timer survives its session
 *	ref bug|ok N		N transfers on an object; the sixth fails, and its error path puts its reference twice
 *	leak bug|ok|slow|slower	six objects are unregistered; one has been leaked a reference / goes 1 s, 2.5 s later
 *	wait bug|ok|slow|never	a request; its answer is lost / comes / comes after 1.5 s / does not come
 *	list bug|ok N		N nodes go on a list and off it; one goes on it twice (ends in BUG())
 *	work bug|ok|slow	a work waits for another one behind it on the same ordered queue / before it / 1 s long
 *	irqs bug|ok		interrupts are off for 60 ms, for 1 ms
 *
 * What a test compares a report with is written to the kernel's log before the trapped call is made, as one line of
 * JSON after "scen: truth ": object, id, culprit (thread), victim (thread), times (CLOCK_MONOTONIC).
 *
 * All bugs are harmless, but for `list`, which costs the calling task its life: what is freed is not unmapped (a cache
 * of its own), waits end after 3 s.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

/* What functions look like to a probe: no inlining, cloning or dropped arguments. */
#define PROBED noinline __attribute__((noipa, used))
#define GIVE_UP (3 * HZ)

enum how { OK, BUG_, SLOW, SLOWER, NEVER };

static struct truth {
	const char *what;
	const void *object;
	u32 id;
	pid_t culprit, victim;
	u64 t_culprit, t_victim;
} truth;

static void tell_truth(void)
{
	truth.victim = current->pid;
	truth.t_victim = ktime_get_mono_fast_ns();
	pr_info("scen: truth {\"bug\": \"%s\", \"object\": \"0x%px\", \"id\": %u, \"culprit\": %d, \"victim\": %d, "
		"\"t_culprit\": %llu, \"t_victim\": %llu}\n",
		truth.what, truth.object, truth.id, truth.culprit, truth.victim, truth.t_culprit, truth.t_victim);
}

static void note_culprit(const char *what, const void *object, u32 id)
{
	truth = (struct truth){.what = what, .object = object, .id = id, .culprit = current->pid,
			       .t_culprit = ktime_get_mono_fast_ns()};
}

/* session: a timer outlives what it works on */

struct sess {
	u32 id;
	u32 state;
	char user[24];
	struct sess_timer *timer;
};

struct sess_timer {
	struct delayed_work work;
	struct sess *sess;
	u32 id;
};

/* a constructor keeps the allocator from merging this cache with others */
static void forget(void *sess)
{
	memset(sess, 0, sizeof(struct sess));
}

static struct kmem_cache *sess_cache;
static struct sess_timer *stale_timer;

struct sess *sess_open(u32 id);
void sess_free(struct sess *sess);
void sess_touch(struct sess *sess, u32 id);
void sess_close(struct sess *sess, bool forget_timer);

PROBED void sess_touch(struct sess *sess, u32 id)
{
	READ_ONCE(sess->state);
}

static void sess_timeout(struct work_struct *work)
{
	struct sess_timer *timer = container_of(to_delayed_work(work), struct sess_timer, work);

	if (timer == stale_timer)
		tell_truth();
	sess_touch(timer->sess, timer->id);
	barrier();
}

PROBED struct sess *sess_open(u32 id)
{
	struct sess *sess = kmem_cache_alloc(sess_cache, GFP_KERNEL);

	if (!sess)
		return NULL;
	sess->id = id;
	sess->state = 1;
	snprintf(sess->user, sizeof(sess->user), "user-%u", id);
	return sess;
}

PROBED void sess_free(struct sess *sess)
{
	kmem_cache_free(sess_cache, sess);
}

PROBED void sess_close(struct sess *sess, bool forget_timer)
{
	struct sess_timer *timer = sess->timer;

	if (forget_timer) {
		stale_timer = timer;
		note_culprit("session", sess, sess->id);
	} else {
		cancel_delayed_work_sync(&timer->work);
		kfree(timer);
	}
	sess_free(sess);
	barrier();
}

static int do_session(enum how how, u32 n)
{
	struct sess *sess;
	u32 i;

	for (i = 0; i < n; i++) {
		struct sess_timer *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

		sess = timer ? sess_open(i + 1) : NULL;
		if (!sess) {
			kfree(timer);
			return -ENOMEM;
		}
		timer->sess = sess;
		timer->id = i + 1;
		sess->timer = timer;
		INIT_DELAYED_WORK(&timer->work, sess_timeout);
		schedule_delayed_work(&timer->work, HZ / 5);
		usleep_range(15000, 20000);
		sess_touch(sess, i + 1);
		sess_close(sess, how == BUG_ && i == n / 2);
	}
	if (stale_timer) {
		flush_delayed_work(&stale_timer->work);
		kfree(stale_timer);
		stale_timer = NULL;
	}
	return 0;
}

/* ref, leak: an object with a count of references, each with a cookie that says who holds it */

struct obj_ref {
	const char *who;
};

struct obj {
	struct kref kref;
	u32 id;
	int err;
	bool registered;
	struct list_head grave;
	struct delayed_work late_put;
	struct obj_ref owner, transfer, late;
};

/* released objects lie here until the end, so that a put too many is harmless */
static LIST_HEAD(graves);
static DEFINE_SPINLOCK(graves_lock);

struct obj *obj_new(u32 id);
void obj_release(struct obj *obj);
void obj_get(struct obj *obj, struct obj_ref *ref);
void obj_put(struct obj *obj, struct obj_ref *ref);
void obj_unregister(struct obj *obj);
void obj_error(struct obj *obj, int err);
int obj_xfer(struct obj *obj, u32 n, int puts);

PROBED struct obj *obj_new(u32 id)
{
	struct obj *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;
	kref_init(&obj->kref);
	obj->id = id;
	obj->registered = true;
	obj->owner.who = "owner";
	obj->transfer.who = "transfer";
	obj->late.who = "late";
	return obj;
}

PROBED void obj_release(struct obj *obj)
{
	spin_lock(&graves_lock);
	list_add(&obj->grave, &graves);
	spin_unlock(&graves_lock);
}

static void obj_kref_release(struct kref *kref)
{
	obj_release(container_of(kref, struct obj, kref));
	barrier();
}

PROBED void obj_get(struct obj *obj, struct obj_ref *ref)
{
	kref_get(&obj->kref);
}

PROBED void obj_put(struct obj *obj, struct obj_ref *ref)
{
	kref_put(&obj->kref, obj_kref_release);
	barrier();
}

PROBED void obj_unregister(struct obj *obj)
{
	obj->registered = false;
	obj_put(obj, &obj->owner);
	barrier();
}

PROBED void obj_error(struct obj *obj, int err)
{
	WRITE_ONCE(obj->err, err);
}

/* The error path: one put is right, two are one too many, none is a leak. */
PROBED int obj_xfer(struct obj *obj, u32 n, int puts)
{
	int err = 0;

	obj_get(obj, &obj->transfer);
	if (n == 6)
		obj_error(obj, err = -EAGAIN);
	else
		puts = 1;
	if (puts >= 1)
		obj_put(obj, &obj->transfer);
	if (puts != 1)
		note_culprit(puts ? "ref" : "leak", obj, obj->id);
	if (puts == 2) {
		tell_truth();
		obj_put(obj, &obj->transfer);
	}
	return err;
}

static void empty_graves(void)
{
	struct obj *obj, *next;

	list_for_each_entry_safe(obj, next, &graves, grave)
		kfree(obj);
}

static int do_ref(enum how how, u32 n)
{
	struct obj *obj = obj_new(1);
	u32 i;

	if (!obj)
		return -ENOMEM;
	for (i = 1; i <= n; i++)
		obj_xfer(obj, i, how == BUG_ ? 2 : 1);
	/* After one put too many this is the use of a dead object: the kernel's own check complains only now. */
	if (how == BUG_) {
		obj_get(obj, &obj->late);
		obj_put(obj, &obj->late);
	} else {
		obj_unregister(obj);
	}
	return 0;
}

static void put_late(struct work_struct *work)
{
	struct obj *obj = container_of(to_delayed_work(work), struct obj, late_put);

	obj_put(obj, &obj->late);
}

static int do_leak(enum how how)
{
	struct obj *objs[6], *slow = NULL, *leaked = NULL;
	u32 i, delay = how == SLOWER ? 2500 : 1000;

	for (i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = obj_new(i + 1);
		if (!objs[i])
			return -ENOMEM;
		INIT_DELAYED_WORK(&objs[i]->late_put, put_late);
		obj_xfer(objs[i], i == 3 ? 6 : 1, how == BUG_ ? 0 : 1);
	}
	if (how == BUG_)
		leaked = objs[3];
	if (how == SLOW || how == SLOWER) {
		slow = objs[2];
		obj_get(slow, &slow->late);
		schedule_delayed_work(&slow->late_put, msecs_to_jiffies(delay));
	}
	if (leaked)
		tell_truth();
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		obj_unregister(objs[i]);
	msleep(3000);
	if (leaked)
		obj_put(leaked, &leaked->transfer);
	if (slow)
		flush_delayed_work(&slow->late_put);
	return 0;
}

/* wait: a request whose answer finds nobody waiting yet, and is lost */

struct req {
	u32 id;
	bool answered;
	struct completion *waiter;
	struct delayed_work answer;
	enum how how;
};

void req_submit(struct req *req);
int req_wait(struct req *req);
void req_finish(struct req *req, struct completion *waiter);
void req_free(struct req *req);

PROBED void req_submit(struct req *req)
{
	if (req->how != NEVER)
		schedule_delayed_work(&req->answer, msecs_to_jiffies(req->how == SLOW ? 1500 : 5));
}

PROBED void req_finish(struct req *req, struct completion *waiter)
{
	if (req->how == BUG_) /* the bug: what comes before the waiter has registered is forgotten */
		note_culprit("wait", req, req->id);
	else
		req->answered = true;
	if (waiter)
		complete(waiter);
	barrier();
}

static void req_answer(struct work_struct *work)
{
	struct req *req = container_of(to_delayed_work(work), struct req, answer);

	req_finish(req, READ_ONCE(req->waiter));
	barrier();
}

PROBED int req_wait(struct req *req)
{
	DECLARE_COMPLETION_ONSTACK(done);
	unsigned long left = 1;

	msleep(20); /* late: the answer may be there already */
	WRITE_ONCE(req->waiter, &done);
	if (req->how == BUG_)
		tell_truth();
	if (!req->answered)
		left = wait_for_completion_timeout(&done, GIVE_UP);
	WRITE_ONCE(req->waiter, NULL);
	return left ? 0 : -ETIMEDOUT;
}

PROBED void req_free(struct req *req)
{
	kfree(req);
	barrier();
}

static int do_wait(enum how how)
{
	struct req *req = kzalloc(sizeof(*req), GFP_KERNEL);
	int err;

	if (!req)
		return -ENOMEM;
	req->id = 1;
	req->how = how;
	INIT_DELAYED_WORK(&req->answer, req_answer);
	req_submit(req);
	err = req_wait(req);
	cancel_delayed_work_sync(&req->answer);
	req_free(req);
	return err && how != BUG_ && how != NEVER ? err : 0;
}

/* list: a node is added that is on the list already; the kernel's check of lists ends that in BUG() */

struct node {
	struct list_head link;
	u32 id;
};

static LIST_HEAD(queue);

void q_add(struct node *node);
void q_del(struct node *node);

PROBED void q_add(struct node *node)
{
	list_add(&node->link, &queue);
	barrier();
}

PROBED void q_del(struct node *node)
{
	list_del(&node->link);
	barrier();
}

static int do_list(enum how how, u32 n)
{
	struct node *node;
	u32 i;

	for (i = 1; i <= n; i++) {
		node = kzalloc(sizeof(*node), GFP_KERNEL);
		if (!node)
			return -ENOMEM;
		node->id = i;
		q_add(node);
		q_del(node);
		q_add(node);
		if (how == BUG_ && i == n) {
			note_culprit("list", node, i);
			tell_truth();
			q_add(node);
		}
		q_del(node);
		kfree(node);
	}
	return 0;
}

/* work: on an ordered queue, a work waits for what another one, queued behind it, would do */

static struct workqueue_struct *ordered;
static DECLARE_COMPLETION(work_done);
static struct work_struct work_a, work_b;

void scen_work_a(struct work_struct *work);
void scen_work_b(struct work_struct *work);
void scen_work_long(struct work_struct *work);

PROBED void scen_work_a(struct work_struct *work)
{
	wait_for_completion_timeout(&work_done, GIVE_UP);
	barrier();
}

PROBED void scen_work_b(struct work_struct *work)
{
	complete(&work_done);
	barrier();
}

PROBED void scen_work_long(struct work_struct *work)
{
	msleep(1000);
	barrier();
}

static int do_work(enum how how)
{
	reinit_completion(&work_done);
	INIT_WORK(&work_a, how == SLOW ? scen_work_long : scen_work_a);
	INIT_WORK(&work_b, scen_work_b);
	if (how == BUG_) {
		note_culprit("work-b", &work_b, 2);
		tell_truth();
		note_culprit("work", &work_a, 1);
		tell_truth();
		queue_work(ordered, &work_a);
		queue_work(ordered, &work_b);
	} else {
		queue_work(ordered, &work_b);
		queue_work(ordered, &work_a);
	}
	flush_workqueue(ordered);
	return 0;
}

/* irqs: interrupts stay off for too long */

void scen_irqs_off(u32 ms);

PROBED void scen_irqs_off(u32 ms)
{
	unsigned long flags;

	local_irq_save(flags);
	mdelay(ms);
	local_irq_restore(flags);
}

static int do_irqs(enum how how)
{
	if (how == BUG_) {
		note_culprit("irqs", NULL, raw_smp_processor_id());
		tell_truth();
	}
	scen_irqs_off(how == BUG_ ? 60 : 1);
	return 0;
}

static int run(const char *what, enum how how, u32 n)
{
	if (!strcmp(what, "session"))
		return do_session(how, n);
	if (!strcmp(what, "ref"))
		return do_ref(how, n);
	if (!strcmp(what, "leak"))
		return do_leak(how);
	if (!strcmp(what, "wait"))
		return do_wait(how);
	if (!strcmp(what, "list"))
		return do_list(how, n);
	if (!strcmp(what, "work"))
		return do_work(how);
	if (!strcmp(what, "irqs"))
		return do_irqs(how);
	return -EINVAL;
}

static ssize_t scen_write(struct file *file, const char __user *user, size_t count, loff_t *pos)
{
	static const char *const hows[] = {"ok", "bug", "slow", "slower", "never"};
	char text[64] = "", what[16], how[16];
	u32 n = 10;
	int h, err;

	if (count >= sizeof(text) || copy_from_user(text, user, count))
		return -EFAULT;
	if (sscanf(text, "%15s %15s %u", what, how, &n) < 2)
		return -EINVAL;
	h = match_string(hows, ARRAY_SIZE(hows), how);
	err = h < 0 ? h : run(what, h, n);
	return err ? err : count;
}

static const struct proc_ops scen_ops = {.proc_write = scen_write};

static int __init scen_init(void)
{
	sess_cache = kmem_cache_create("scen_session", sizeof(struct sess), 0, SLAB_HWCACHE_ALIGN, forget);
	ordered = alloc_ordered_workqueue("scen_owq", 0);
	if (sess_cache && ordered && proc_create("scen", 0600, NULL, &scen_ops))
		return 0;
	if (ordered)
		destroy_workqueue(ordered);
	kmem_cache_destroy(sess_cache);
	return -ENOMEM;
}

static void __exit scen_exit(void)
{
	remove_proc_entry("scen", NULL);
	empty_graves();
	destroy_workqueue(ordered);
	kmem_cache_destroy(sess_cache);
}

module_init(scen_init);
module_exit(scen_exit);
MODULE_DESCRIPTION("deadfall test: bugs to catch");
MODULE_LICENSE("GPL");
