package queue

import (
	"context"
	"sync"

	"gorm.io/gorm"
)

// awake holds the running workers of this process. It is package state
// because EnqueueTx is called from services, which know no worker; it only
// ever shortens a wait.
var awake struct {
	sync.Mutex
	workers map[*Worker]struct{}
}

// wakeAfter wakes the workers when the transaction is over. database.InTx
// cancels the transaction's context when it has committed or rolled back: the
// one sign of the commit that a joined transaction gives. Woken in vain, a
// worker asks the index once.
func wakeAfter(tx *gorm.DB) {
	ctx := tx.Statement.Context
	if ctx.Done() == nil {
		return // no InTx: the next poll finds the job
	}
	context.AfterFunc(ctx, func() {
		awake.Lock()
		defer awake.Unlock()
		for w := range awake.workers {
			w.Wake()
		}
	})
}

func listen(w *Worker) {
	awake.Lock()
	defer awake.Unlock()
	if awake.workers == nil {
		awake.workers = map[*Worker]struct{}{}
	}
	awake.workers[w] = struct{}{}
}

func unlisten(w *Worker) {
	awake.Lock()
	defer awake.Unlock()
	delete(awake.workers, w)
}
