package identity

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"jiamenkou/internal/authz"
)

// actorCache keeps whom recent access tokens belong to for a few seconds, so
// that a screen's worth of requests costs one look-up and one check of a
// signature. Changes made in this process purge it at once; those of another
// process act when the entry ends.
type actorCache struct {
	ttl time.Duration
	max int

	mu         sync.Mutex
	items      map[string]*list.Element // by access token
	recent     *list.List               // of *cachedActor, newest first
	generation uint64
}

type cachedActor struct {
	token string
	actor authz.Actor
	until time.Time
}

func entryOf(e *list.Element) *cachedActor {
	entry, ok := e.Value.(*cachedActor)
	if !ok {
		panic("identity: the actor cache holds something else") // put alone fills it
	}
	return entry
}

func newActorCache(ttl time.Duration, size int) *actorCache {
	return &actorCache{ttl: ttl, max: size, items: map[string]*list.Element{}, recent: list.New()}
}

// get returns the token's actor, or the generation that put wants back.
func (c *actorCache) get(token string, now time.Time) (actor authz.Actor, ok bool, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, found := c.items[token]
	if !found {
		return authz.Actor{}, false, c.generation
	}
	entry := entryOf(e)
	if !now.Before(entry.until) {
		c.remove(e)
		return authz.Actor{}, false, c.generation
	}
	return entry.actor, true, c.generation
}

// put keeps the actor of a token that is good until expires, unless somebody
// purged since generation was read: the actor might be from before that change.
func (c *actorCache) put(generation uint64, token string, actor authz.Actor, expires, now time.Time) {
	until := now.Add(c.ttl)
	if expires.Before(until) {
		until = expires
	}
	if !now.Before(until) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if e, ok := c.items[token]; ok {
		c.remove(e)
	}
	if c.recent.Len() >= c.max {
		c.remove(c.recent.Back())
	}
	c.items[token] = c.recent.PushFront(&cachedActor{token: token, actor: actor, until: until})
}

// purge forgets every session of the principals.
func (c *actorCache) purge(principalIDs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for e := c.recent.Front(); e != nil; {
		next := e.Next()
		if slices.Contains(principalIDs, entryOf(e).actor.ID) {
			c.remove(e)
		}
		e = next
	}
}

// purgeAll forgets every session.
func (c *actorCache) purgeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.items)
	c.recent.Init()
}

func (c *actorCache) remove(e *list.Element) {
	delete(c.items, entryOf(e).token)
	c.recent.Remove(e)
}
