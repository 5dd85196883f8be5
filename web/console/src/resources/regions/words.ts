export const levels: Record<string, string> = { county: '县市区', town: '镇街', village: '村社', grid: '网格', microgrid: '微网格', building: '楼道' }
/** What may be added below by hand; what lies above comes by an import. */
export const below: Record<string, string[]> = { village: ['grid'], grid: ['microgrid'], microgrid: ['building'] }
