package wechat

import (
	"sync"
	"time"

	"jiamenkou/internal/clock"
)

// tokenCache is the SDK's cache.Cache for the one access token of a Client.
// The SDK's own memory cache reads its map without the lock. One entry is
// all there is to keep: the cache cannot grow.
type tokenCache struct {
	clock clock.Clock

	mu      sync.Mutex
	key     string
	token   string
	expires time.Time
}

func newTokenCache(clk clock.Clock) *tokenCache { return &tokenCache{clock: clk} }

// current returns the live token, or "".
func (c *tokenCache) current() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live()
}

func (c *tokenCache) live() string {
	if c.token == "" || !c.clock.Now().Before(c.expires) {
		return ""
	}
	return c.token
}

// drop forgets token, if it is still the one kept: of many calls that learn
// at once that a token is dead, only the first throws it out, and none throws
// out its successor.
func (c *tokenCache) drop(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}

// Get implements cache.Cache.
func (c *tokenCache) Get(key string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token := c.live(); token != "" && c.key == key {
		return token
	}
	return nil
}

// Set implements cache.Cache.
func (c *tokenCache) Set(key string, val any, timeout time.Duration) error {
	token, ok := val.(string)
	if !ok {
		return nil // the SDK keeps nothing else here; not caching is always safe
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key, c.token, c.expires = key, token, c.clock.Now().Add(timeout)
	return nil
}

// IsExist implements cache.Cache.
func (c *tokenCache) IsExist(key string) bool { return c.Get(key) != nil }

// Delete implements cache.Cache.
func (c *tokenCache) Delete(key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.key == key {
		c.token = ""
	}
	return nil
}
