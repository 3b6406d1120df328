// Where the inputs are rows of a table, the page speaks of columns instead of words.
const tabular = Object.hasOwn(report.data.columns, "factor");
// A model that predicts a number: nothing is right or wrong, and nobody is sure by so much.
const oneNumber = tabular && report.labels.length === 1;
const COLUMNS = {
  en: {
    fact_removal: "How columns were taken away", wordColumn: "Column", wordsTop: "The {n} columns that count most",
    meaning1: "An explanation says which columns of a row a decision rests on. To test it, columns are taken away from the row and the model decides again. If the decision hardly changes without the columns that are said to matter, the explanation is wrong.",
    meaning2: "Trusted: taking away the columns it names changes the decision clearly more than chance would, and no other test spoke against it. Doubtful: the tests do not settle it. Refuted: random columns do as well, or a test showed that the explanation does not follow the model.",
    inputsCaption: "Stronger amber and a thicker underline = the decision rests more on that column, according to {method}.",
    inputsSigned: " A dashed blue underline = the column speaks against the decision.",
    methodsNote: "Skill: 1 = as good as the best order that exists for this model, 0 = random, −1 = exactly wrong. Comprehensiveness: how much of the decision's probability is lost without the columns that it names first (high is good). Sufficiency: how much is lost without those it names last (low is good). p: how often random orders do as well; small speaks for the method.",
    "m.Occlusion": "takes each column away in turn", "m.IntegratedGradients": "sums the slope on the way from a typical row",
    "m.InputGradient": "slope at each column",
  },
  zh: {
    fact_removal: "去掉列的方式", wordColumn: "列", wordsTop: "最重要的 {n} 列",
    meaning1: "解释说明一个判断依据一行中的哪些列。检验的办法是从这一行中去掉一些列，让模型重新判断。如果去掉所谓重要的列之后判断几乎不变，解释就是错的。",
    meaning2: "可信：去掉它指出的列，对判断的影响明显大于随机去列，且没有其他检验与之相悖。存疑：检验没有定论。不成立：随机的列也能做到，或某项检验表明解释并不随模型而变。",
    inputsCaption: "橙色越深、下划线越粗，表示按 {method} 判断越依赖这一列。",
    inputsSigned: " 蓝色虚线下划线表示该列与判断相反。",
    methodsNote: "得分：1 = 与该模型可能的最佳顺序一样好，0 = 随机，−1 = 完全颠倒。完备性：去掉它最先指出的列之后，判断的概率损失多少（高为好）。充分性：去掉它最后指出的列之后损失多少（低为好）。p：随机顺序达到同样效果的频率；越小越支持该方法。",
    "m.Occlusion": "逐个去掉每一列", "m.IntegratedGradients": "从典型的一行到该行的斜率之和",
    "m.InputGradient": "各列处的斜率",
  },
};
const NUMBER = {
  en: { decidedFor: "Predicted:", fact_labels: "It predicts", inputsTitle: "Every prediction, and what it rests on",
    inputsCaption: "Stronger amber and a thicker underline = the column makes the number higher, according to {method}.",
    inputsSigned: " A dashed blue underline = the column makes it lower." },
  zh: { decidedFor: "预测：", fact_labels: "预测的量", inputsTitle: "每个预测及其依据",
    inputsCaption: "橙色越深、下划线越粗，表示按 {method} 这一列使预测的数值越高。",
    inputsSigned: " 蓝色虚线下划线表示该列使数值降低。" },
};
for (const lang of ["en", "zh"]) Object.assign(STRINGS[lang], tabular ? COLUMNS[lang] : {}, oneNumber ? NUMBER[lang] : {});
