package app

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
	"jiamenkou/internal/redact"
)

// batchConfig is how the services combine concurrent work. SQLite has one
// writer: a second lane would only split the batches.
func (a *App) batchConfig() batch.Config {
	lanes := a.cfg.Batch.Lanes
	if a.db.Driver() == database.SQLite {
		lanes = 1
	}
	return batch.Config{
		MaxItems: a.cfg.Batch.MaxItems, MaxWait: a.cfg.Batch.MaxWait, QueueLength: a.cfg.Batch.QueueLength, Lanes: lanes,
		RunTimeout: 2 * a.cfg.Database.TxTimeout,
		OnFallback: func(err error, items int) {
			a.log.Warn("a batch failed and is run again one by one", "error", redact.Error(err, 500), "items", items)
		},
	}
}

// drainBatches answers whoever still waits in a batch. The server must take no
// more requests by then.
func (a *App) drainBatches(ctx context.Context) error {
	return errors.Join(a.Market.Close(ctx), a.Reading.Close(ctx))
}

// batchMetrics shows the combiners at work.
func (a *App) batchMetrics() []prometheus.Collector {
	var out []prometheus.Collector
	for name, stats := range map[string]func() batch.Stats{
		"order":    func() batch.Stats { return a.Market.Stats().Orders },
		"complete": func() batch.Stats { return a.Reading.Stats().Completions },
		"sign_in":  func() batch.Stats { return a.Reading.Stats().SignIns },
	} {
		labels := prometheus.Labels{"work": name}
		counter := func(metric, help string, value func(batch.Stats) int64) {
			out = append(out, prometheus.NewCounterFunc(
				prometheus.CounterOpts{Name: "jiamenkou_batch_" + metric + "_total", Help: help, ConstLabels: labels},
				func() float64 { return float64(value(stats())) }))
		}
		counter("runs", "Batches begun.", func(s batch.Stats) int64 { return s.Batches })
		counter("items", "Items in those batches.", func(s batch.Stats) int64 { return s.Items })
		counter("fallbacks", "Batches that failed and were run again one by one.", func(s batch.Stats) int64 { return s.Fallbacks })
		counter("full", "Items refused since the queue was full.", func(s batch.Stats) int64 { return s.Full })
		counter("dropped", "Items whose caller went before their batch began.", func(s batch.Stats) int64 { return s.Dropped })
		out = append(out, prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "jiamenkou_batch_waiting", Help: "Items that wait for their batch.", ConstLabels: labels},
			func() float64 { return float64(stats().Waiting) }))
	}
	return append(out, prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: "jiamenkou_orders_sold_out_total", Help: "Orders refused from memory, without the database."},
		func() float64 { return float64(a.Market.Stats().SoldOut) }))
}
