export const levels: Record<string, string> = { county: '县市区', town: '镇街', village: '村社', grid: '网格', microgrid: '微网格', building: '楼道' }
/** What is added below by hand; counties come by an import. */
export const below: Record<string, string> = { county: 'town', town: 'village', village: 'grid', grid: 'microgrid', microgrid: 'building' }
export const above: Record<string, string> = Object.fromEntries(Object.entries(below).map(([upper, lower]) => [lower, upper]))
/** Their codes are the statistical ones, which nobody makes up. */
export const codeGiven = ['town', 'village']
